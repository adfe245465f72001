//! What the outsider says when everything is over: every call ended once, and the server did what was told of it.

use super::{Ledger, Record};
use bowline_core::{CallId, ExchangeId, Method, Metrics, Outcome};
use std::collections::BTreeMap;

impl Ledger {
    /// At the very end, with what the server and the network know.
    pub fn finish(&mut self, metrics: &Metrics, executions: &BTreeMap<u32, u32>, refused: &[u32]) {
        let open: Vec<CallId> = self.open();
        self.check(open.is_empty(), || format!("{open:?} never settled"));
        let gauges = (metrics.active_requests, metrics.queued_requests);
        self.check(gauges == (0, 0), || format!("gauges {gauges:?} at rest"));
        let held = self.links.values().chain(self.exchanges.values()).filter(|is_open| **is_open).count();
        self.check(held == 0, || format!("{held} links or exchanges are not given back"));
        let sum = metrics.successful_requests + metrics.failed_requests;
        self.check(metrics.total_requests == sum, || format!("requests are lost: {metrics:?}"));
        let keys = self.keys.len() as u64;
        self.check(keys == metrics.cache_size, || format!("{keys} keys for {} results", metrics.cache_size));
        let records = core::mem::take(&mut self.records);
        self.told_true(&records, executions);
        for record in &records {
            self.judge(record, executions, refused);
        }
    }

    /// Whether the end of a tool call is true.
    fn judge(&mut self, record: &Record, executions: &BTreeMap<u32, u32>, refused: &[u32]) {
        let (Method::TOOLS_CALL, Some(params)) = (record.request.method, record.request.params) else {
            return;
        };
        let key = params.key;
        let executed = executions.get(&key).copied().unwrap_or(0);
        if !record.request.idempotent {
            let permitted = 1 + refused.iter().filter(|other| **other == key).count();
            self.check(executed <= 1, || format!("call {key} was executed {executed} times"));
            self.check(record.writes <= permitted, || {
                format!("call {key} was written {} of {permitted} times", record.writes)
            });
        }
        let writes = record.writes;
        match record.end {
            Some(None) => self.check(executed > 0, || format!("call {key} was answered, but never executed")),
            Some(Some(Outcome::NotSent)) => {
                let left = writes > refused.iter().filter(|other| **other == key).count();
                self.check(!left && executed == 0, || {
                    format!("call {key} was written {writes} times and executed {executed} times: not \"not-sent\"")
                });
            }
            Some(Some(Outcome::NotApplied)) => {
                self.check(executed == 0, || format!("call {key} was executed {executed} times: not \"not-applied\""));
            }
            _ => {}
        }
    }

    /// Nobody waits for this exchange to introduce the client, or to open the server's stream, any more.
    pub(super) fn introduced(&mut self, id: ExchangeId) {
        self.introducing = self.introducing.filter(|other| *other != id);
        self.holding = self.holding.filter(|(other, _)| *other != id);
    }
}
