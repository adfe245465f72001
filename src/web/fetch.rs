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

/// What a chunk completed.
#[derive(Default)]
pub(crate) struct Events {
    /// The data of an event whose name makes it an address (P83).
    pub(crate) endpoint: Option<Vec<u8>>,
    /// The data of those that are messages.
    pub(crate) messages: Vec<Vec<u8>>,
}

impl Events {
    /// Whether it completed nothing.
    pub(crate) fn is_none(&self) -> bool {
        self.endpoint.is_none() && self.messages.is_empty()
    }
}

#[derive(Default)]
struct Found {
    events: Events,
    last: Vec<u8>,
    retry: Option<u64>,
}

impl Fetch {
    pub(crate) fn new(id: ExchangeId, limit: usize) -> Self {
        Self { id, parser: Parser::new(limit), found: Found::default() }
    }

    /// Every event that this chunk completes.
    pub(crate) fn feed(&mut self, chunk: &[u8]) -> Result<Events, TooLong> {
        self.parser.push(chunk, &mut self.found)?;
        Ok(core::mem::take(&mut self.found.events))
    }

    /// What is told of a stream that can be taken up again (P78).
    pub(crate) fn cursor(self) -> Option<ExchangeEvent<Payload>> {
        let Found { last, retry, .. } = self.found;
        if last.is_empty() && retry.is_none() {
            return None;
        }
        let id = if last.is_empty() { None } else { Payload::from_raw(glue::header_bytes(&last)) };
        Some(ExchangeEvent::Cursor { id, retry: retry.map(|ms| Duration::from_millis_f64(ms as f64)) })
    }
}

impl Sink for Found {
    fn event(&mut self, name: &[u8], data: &[u8]) {
        match name {
            b"endpoint" => self.events.endpoint = Some(data.to_vec()),
            b"" | b"message" => self.events.messages.push(data.to_vec()),
            // As with `EventSource`, nobody listens to the others: some servers keep a stream alive with a `ping` of their own.
            _ => {}
        }
    }

    fn retry(&mut self, ms: u64) {
        self.retry = Some(ms);
    }

    fn id(&mut self, id: &[u8]) {
        // Longer than any server's, and as long as a header may be: whoever sends that gets no second chance.
        if id.len() <= LONGEST_ID {
            self.last = id.to_vec();
        }
    }
}

const LONGEST_ID: usize = 4_096;
