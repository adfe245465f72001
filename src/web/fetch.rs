//! One HTTP exchange on the shell's side: how to abort it, and its event-stream parser. Dropping it aborts it.

use bowline_core::{ExchangeId, Parser, Sink, TooLong};

use crate::glue;

/// A running exchange.
pub(crate) struct Fetch {
    pub(crate) id: ExchangeId,
    client: i32,
    parser: Parser,
}

/// The data of the events found in one chunk.
#[derive(Default)]
struct Events(Vec<Vec<u8>>);

impl Fetch {
    pub(crate) fn new(id: ExchangeId, client: i32, limit: usize) -> Self {
        Self { id, client, parser: Parser::new(limit) }
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
        glue::abort(self.client, self.id.0 as i32);
    }
}

impl Sink for Events {
    fn event(&mut self, _name: &[u8], data: &[u8]) {
        self.0.push(data.to_vec());
    }
}
