//! The vocabulary of the cluster: what happens to it, and what it wants done. Values only.

use super::node::{AttemptId, NodeId, NodePhase, NodeSpec, RegionId, RouteId};
use crate::error::Outcome;
use crate::time::{Duration, Instant};

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum ClusterInput {
    /// Begin: discover, open the first links.
    Connect,
    /// Send a call to some node.
    Route(RouteId, Route),
    /// The application gave it up.
    Cancel(RouteId),
    /// An attempt is over.
    Ended(AttemptId, Ending),
    /// The link of a node came up.
    Up(NodeId),
    /// It went down; `true` where the surroundings are to blame (no network, a page that was frozen), which says nothing of the node.
    Down(NodeId, bool),
    /// A probe is over: how long the answer took, or `None`.
    Probed(NodeId, Option<Duration>),
    /// Another client found that a node fails: a hint, so it is taken last until an answer or a probe clears it.
    Hint(NodeId),
    /// A source of nodes answered.
    Discovered(Answer),
    /// Give it nothing new any more, or go on.
    Drain(NodeId, bool),
    /// Give it nothing whatever happens, or go on.
    Isolate(NodeId, bool),
    /// A session ended, or is to find its node anew.
    Unpin(u64),
    /// A fact of the environment.
    Signal(ClusterSignal),
    /// The time that was asked for has come.
    Timeout,
    /// The end. Routes fail with [`Refusal::Closed`].
    Close,
}

/// A fact of the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClusterSignal {
    /// There is a network, it is said.
    Online,
    /// There is none: failures say nothing of the nodes.
    Offline,
    /// Somebody looks at the page.
    Visible,
    /// Nobody does: nobody is probed.
    Hidden,
}

/// One call of the application.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// It may be executed twice: it reads, or its caller vouches for it.
    pub safe: bool,
    /// A hash of the session it belongs to, the same in every client.
    pub session: Option<u64>,
    /// The node to take if it can.
    pub preferred: Option<NodeId>,
    /// Nodes not to take.
    pub exclude: Vec<NodeId>,
    /// The region to take if it can, instead of the configured one, and of the home of a call with side effects.
    pub region: Option<RegionId>,
    /// Instead of the configured one.
    pub timeout: Option<Duration>,
    /// Instead of the configured one. Where none is configured, a twentieth of all calls may be hedged.
    pub hedge_after: Option<Duration>,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ending {
    /// What it says.
    pub verdict: Verdict,
    /// From sending to end.
    pub took: Duration,
}

/// What the end of an attempt says of its node and of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The node did its part: a result, a JSON-RPC error, a status below 500 other than 429.
    Answered,
    /// It refused for now, without executing (429, 503), and wants to be left alone for so long.
    Busy(Option<Duration>),
    /// It failed.
    Failed(Failure, Outcome),
    /// Something else did (no network, CORS while offline): nothing is learnt of the node.
    Surroundings(Outcome),
    /// The caller or the cluster gave it up.
    Aborted,
}

/// How a node failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No connection, or one that broke.
    Transport,
    /// No answer in time.
    Timeout,
    /// A status from 500, an answer that is none.
    Server,
}

/// What the cluster wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum ClusterOutput {
    /// Make the client of this node and connect it.
    Open(NodeId),
    /// Close it.
    Shut(NodeId),
    /// Send the route to a node; without an answer in `timeout` the attempt ends as [`Failure::Timeout`].
    Send {
        /// Which call.
        route: RouteId,
        /// Its new name.
        attempt: AttemptId,
        /// To whom.
        node: NodeId,
        /// For how long.
        timeout: Duration,
    },
    /// Give an attempt up (another answered first, the call was cancelled or ran out of time). No `Ended` is needed.
    Abort(AttemptId),
    /// The call ends as this attempt did.
    Settle(RouteId, AttemptId),
    /// The call ends without an attempt that could speak for it.
    Fail(RouteId, Refusal),
    /// Ask a node whether it lives; without an answer in the time, it is `Probed(_, None)`.
    Probe(NodeId, Duration),
    /// Ask a source of nodes. A new query replaces the one under way.
    Ask(Query),
    /// Tell the application.
    Event(ClusterEvent),
    /// Nothing more now. Come back at this time, if any.
    Timeout(Option<Instant>),
}

/// Why a call ends without an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There are no nodes: none was found yet, or none is left.
    NoNode,
    /// There are some, and none may be given calls; the first may in so long, if that is known.
    NoHealthyNode(Option<Duration>),
    /// The node that alone may serve it (a session that lives there) is left alone.
    CircuitOpen(Duration),
    /// Its time is over; what was sent may have been executed when `true`.
    Timeout(bool),
    /// The application gave it up; as above.
    Aborted(bool),
    /// The cluster is closed; as above.
    Closed(bool),
}

/// A question to a source of nodes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Query {
    /// The whole list, from the endpoint of this number. Consul: block at `index` (0: do not) for at most `wait`.
    List {
        /// Which address.
        endpoint: u32,
        /// What is known.
        index: u64,
        /// How long to wait for something new.
        wait: Duration,
    },
    /// etcd: what happened from this revision on, as [`Answer::Changes`], until it ends. A stream that is silent for `idle` is dead.
    Watch {
        /// Which address.
        endpoint: u32,
        /// From here.
        revision: u64,
        /// See above.
        idle: Duration,
    },
}

/// What a source of nodes said.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// All nodes, and the index or revision of the list (0 where the source hides it).
    List(Vec<NodeSpec>, u64),
    /// What changed, up to this revision. No changes: a sign of life.
    Changes(Vec<Change>, u64),
    /// The revision asked for is gone, or not there yet (a source that lost its state): begin with the list again.
    Compacted,
    /// It wants credentials, or others.
    Unauthorized,
    /// No answer, or none that is a list.
    Failed,
    /// The watch ended.
    Ended,
}

/// One change of the set of nodes.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// New, or described anew.
    Put(NodeSpec),
    /// Gone.
    Gone(NodeId),
}

/// A fact for the application.
#[derive(Clone, Debug, PartialEq)]
pub enum ClusterEvent {
    /// A node of the set may be given calls again.
    NodeUp(NodeId),
    /// It may not any more: its breaker opened, or the application said so.
    NodeDown(NodeId),
    /// Its phase changed.
    Phase(NodeId, NodePhase, NodePhase),
    /// The set of nodes changed.
    Discovery {
        /// Who came.
        added: Vec<NodeId>,
        /// Who went.
        removed: Vec<NodeId>,
    },
    /// A source said that there are no nodes, and is not believed yet.
    DiscoveryEmpty,
    /// A source failed; so often in a row.
    DiscoveryFailed(u32),
    /// A call went on to another node: the first failed, or is so slow that the other starts beside it.
    Failover {
        /// Which call.
        route: RouteId,
        /// From here.
        from: NodeId,
        /// To there.
        to: NodeId,
        /// What the first did with it, as far as is known.
        outcome: Outcome,
    },
    /// A second attempt started that was wanted beforehand.
    Hedged(RouteId, NodeId),
}
