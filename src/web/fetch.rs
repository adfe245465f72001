//! One HTTP exchange on the shell's side: how to abort it, and its event-stream parser. Dropping it aborts it.

use bowline_core::{ExchangeId, Parser, Sink, TooLong};
use web_sys::AbortController;

/// A running exchange.
pub(crate) struct Fetch {
    pub(crate) id: ExchangeId,
    pub(crate) controller: AbortController,
    parser: Parser,
}

/// The data of the events found in one chunk.
#[derive(Default)]
struct Events(Vec<Vec<u8>>);

impl Fetch {
    pub(crate) fn new(id: ExchangeId, controller: AbortController, limit: usize) -> Self {
        Self { id, controller, parser: Parser::new(limit) }
    }

    /// The data of every event that this chunk completes.
    pub(crate) fn feed(&mut self, chunk: &[u8]) -> Result<Vec<Vec<u8>>, TooLong> {
        let mut events = Events::default();
        self.parser.push(chunk, &mut events)?;
        Ok(events.0)
    }
}

impl Drop for Fetch {
    fn drop(&mut self) {
        self.controller.abort();
    }
}

impl Sink for Events {
    fn event(&mut self, _name: &[u8], data: &[u8]) {
        self.0.push(data.to_vec());
    }
}
