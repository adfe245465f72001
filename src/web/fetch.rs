//! One HTTP exchange on the shell's side: its event-stream parser, and where the stream stood last. What aborts it is the snippet's.

use bowline_core::{Duration, ExchangeEvent, ExchangeId, Parser, Sink, TooLong};

use crate::glue;
use crate::payload::Payload;

/// An exchange whose answer is an event stream, from its first chunk on.
pub(crate) struct Fetch {
    pub(crate) id: ExchangeId,
    parser: Parser,
    found: Found,
}

/// One event.
pub(crate) struct StreamEvent {
    /// Its name is `endpoint`, so that its data is an address (P83) and no message.
    pub(crate) is_endpoint: bool,
    pub(crate) data: Vec<u8>,
}

#[derive(Default)]
struct Found {
    events: Vec<StreamEvent>,
    last: String,
    retry: Option<u64>,
}

impl Fetch {
    pub(crate) fn new(id: ExchangeId, limit: usize) -> Self {
        Self { id, parser: Parser::new(limit), found: Found::default() }
    }

    /// Every event that this chunk completes.
    pub(crate) fn feed(&mut self, chunk: &[u8]) -> Result<Vec<StreamEvent>, TooLong> {
        self.parser.push(chunk, &mut self.found)?;
        Ok(core::mem::take(&mut self.found.events))
    }

    /// What is told of a stream that can be taken up again (P78).
    pub(crate) fn cursor(self) -> Option<ExchangeEvent<Payload>> {
        let Found { last, retry, .. } = self.found;
        if last.is_empty() && retry.is_none() {
            return None;
        }
        let id = (!last.is_empty()).then(|| Payload::from_raw(glue::put_text(&last))).flatten();
        Some(ExchangeEvent::Cursor { id, retry: retry.map(Duration::from_millis) })
    }
}

impl Sink for Found {
    fn event(&mut self, name: &[u8], data: &[u8]) {
        self.events.push(StreamEvent { is_endpoint: name == b"endpoint", data: data.to_vec() });
    }

    fn retry(&mut self, ms: u64) {
        self.retry = Some(ms);
    }

    fn id(&mut self, id: &[u8]) {
        // One character for each byte, since that is what a header takes: the bytes come back as they were.
        self.last = id.iter().map(|byte| char::from(*byte)).collect();
    }
}
