//! One HTTP exchange on the shell's side: its event-stream parser. What aborts it is the snippet's.

use bowline_core::{ExchangeId, Parser, Sink, TooLong};

/// An exchange whose answer is an event stream, from its first chunk on.
pub(crate) struct Fetch {
    pub(crate) id: ExchangeId,
    parser: Parser,
}

/// The data of the events found in one chunk.
#[derive(Default)]
struct Events(Vec<Vec<u8>>);

impl Fetch {
    pub(crate) fn new(id: ExchangeId, limit: usize) -> Self {
        Self { id, parser: Parser::new(limit) }
    }

    /// The data of every event that this chunk completes.
    pub(crate) fn feed(&mut self, chunk: &[u8]) -> Result<Vec<Vec<u8>>, TooLong> {
        let mut events = Events::default();
        self.parser.push(chunk, &mut events)?;
        Ok(events.0)
    }
}

impl Sink for Events {
    fn event(&mut self, _name: &[u8], data: &[u8]) {
        self.0.push(data.to_vec());
    }
}
