//! A reference of the calls in doubt: whose outcome nobody knew when they ended. The first answer that comes to one of them within ten
//! minutes and says what became of it is told, once and truly; nothing else is told.

use std::collections::BTreeMap;

use bowline_core::{ExchangeId, Incoming, Instant, Method, RequestId, ResultKind};

use super::{Ledger, Record};
use crate::{ms, Doc};

/// JSON-RPC errors that a server says before it executes anything (MCP, base protocol; resilience, section 5).
const BEFORE: [i32; 8] = [-32700, -32600, -32601, -32602, -32020, -32021, -32022, -32002];

/// The calls in doubt.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    /// Since when, which request, and which record.
    open: Vec<(Instant, RequestId, usize)>,
    /// What has to be told now.
    due: Option<(RequestId, bool)>,
    /// What was told, of which record.
    told: Vec<(usize, bool)>,
}

impl Ledger {
    /// A call ended, and nobody knows how.
    pub(super) fn doubt(&mut self, now: Instant, at: usize) {
        let last = self.records.get(at).and_then(|record| record.last);
        self.doubts.open.extend(last.map(|id| (now, id, at)));
    }

    /// A message arrived where answers are found by their ids alone. One that does not say what became of its request ends the doubt, too:
    /// its server has spoken.
    pub(super) fn undoubt(&mut self, now: Instant, message: &Incoming<Doc>) {
        let (id, says) = match message {
            Incoming::Result { id, kind, .. } => match kind {
                ResultKind::Complete | ResultKind::Task => (*id, Some(true)),
                ResultKind::InputRequired | ResultKind::StateOnly => (*id, Some(false)),
                ResultKind::Unknown => (*id, None),
            },
            Incoming::Error { id: Some(id), code, .. } => (*id, BEFORE.contains(code).then_some(false)),
            Incoming::TooLarge(id) => (*id, None),
            _ => return,
        };
        let Some(at) = self.doubts.open.iter().position(|(_, other, _)| *other == id) else {
            return;
        };
        let (since, _, record) = self.doubts.open.remove(at);
        if let Some(applied) = says.filter(|_| now.since(since) <= ms(600_000)) {
            self.doubts.due = Some((id, applied));
            self.doubts.told.push((record, applied));
        }
    }

    /// The client tells of an answer after the end.
    pub(super) fn late(&mut self, id: RequestId, applied: bool) {
        let due = self.doubts.due.take();
        self.check(due == Some((id, applied)), || format!("{id:?} is told to be applied: {applied}, and {due:?} is"));
    }

    /// When everything that follows from an input is done.
    pub(super) fn told_all(&mut self) {
        let due = self.doubts.due.take();
        self.check(due.is_none(), || format!("{due:?} is known now, and not told"));
    }

    /// At the very end: what was told is true, as far as the server counts what it executes. What was sent several times may have been executed by another sending.
    pub(super) fn told_true(&mut self, records: &[Record], executions: &BTreeMap<u32, u32>) {
        for (at, applied) in core::mem::take(&mut self.doubts.told) {
            self.told += 1;
            let called = |record: &&Record| record.request.method == Method::TOOLS_CALL;
            let Some((record, params)) =
                records.get(at).filter(called).and_then(|record| Some((record, record.request.params?)))
            else {
                continue;
            };
            let executed = executions.get(&params.key).is_some_and(|times| *times > 0);
            let is_true = if applied { executed } else { !executed || record.writes > 1 };
            self.check(is_true, || {
                format!("call {} was told to be applied: {applied}; executed: {executed}", params.key)
            });
        }
    }

    /// Whether answers on this exchange are found by their ids alone: on the streams that are no answer to one POST.
    pub(super) fn is_common(&self, id: ExchangeId) -> bool {
        self.common.contains(&id) && self.exchanges.get(&id) == Some(&true)
    }
}
