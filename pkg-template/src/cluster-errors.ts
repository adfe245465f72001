// The words for the errors that only a cluster has; a client needs none of them.

/** Rows of the table in errors.ts. */
export const CLUSTER_TEXTS = `NO_HEALTHY_NODE|no node can take the call|See nodes() for why; calls flow again when one answers.
DISCOVERY_FAILED|the nodes of the cluster cannot be found|Check discoveryConfig: endpoints, serviceName, credentials, CORS.
STATE_STORE_FAILED|the shared state failed|Check stateManagementConfig.`;
