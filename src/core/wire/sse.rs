//! An incremental parser of `text/event-stream` (WHATWG HTML, section 9.2.6). It takes bytes cut anywhere and hands out the data of
//! each event; it reads no JSON and knows no MCP.

/// The bytes of one line or event exceeded the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// Receives what a [`Parser`] finds.
pub trait Sink {
    /// A dispatched event: the UTF-8 bytes of its `data`, and its `event` name if it had one.
    fn event(&mut self, name: &[u8], data: &[u8]);
    /// A `retry:` field, in milliseconds. Ignored unless the sink resumes streams.
    fn retry(&mut self, _ms: u64) {}
    /// The id to remember as the last one, once its event is complete. Ignored unless the sink resumes streams.
    fn id(&mut self, _id: &[u8]) {}
}

/// The state between two chunks.
#[derive(Debug)]
pub struct Parser {
    limit: usize,
    line: Vec<u8>,
    data: Vec<u8>,
    name: Vec<u8>,
    id: Option<Vec<u8>>,
    has_data: bool,
    after_cr: bool,
    at_start: bool,
    dead: bool,
}

const BOM: &[u8] = b"\xef\xbb\xbf";

impl Parser {
    /// A parser at the start of a stream. `limit` bounds the bytes of one line and of one event's data.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            line: Vec::new(),
            data: Vec::new(),
            name: Vec::new(),
            id: None,
            has_data: false,
            after_cr: false,
            at_start: true,
            dead: false,
        }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`TooLong`] when a line or an event exceeds the limit; the parser then stays dead and its memory is released.
    pub fn push(&mut self, mut bytes: &[u8], sink: &mut impl Sink) -> Result<(), TooLong> {
        if self.dead {
            return Err(TooLong);
        }
        while let Some(&first) = bytes.first() {
            // The LF of a CRLF that was cut after its CR.
            if core::mem::take(&mut self.after_cr) && first == b'\n' {
                bytes = bytes.get(1..).unwrap_or_default();
                continue;
            }
            let end = bytes.iter().position(|b| matches!(b, b'\n' | b'\r'));
            let part = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
            if self.line.len() + part.len() > self.limit {
                return self.die();
            }
            let Some(end) = end else {
                self.keep(part);
                return Ok(());
            };
            self.after_cr = bytes.get(end) == Some(&b'\r');
            if self.line.is_empty() {
                self.on_line(part, sink)?;
            } else {
                let mut line = core::mem::take(&mut self.line);
                line.extend_from_slice(part);
                self.on_line(&line, sink)?;
                line.clear();
                self.line = line;
            }
            bytes = bytes.get(end + 1..).unwrap_or_default();
        }
        Ok(())
    }

    /// Adds to the unfinished line. A long one gets all it may ever need at once: doubling would leave as much again behind in holes
    /// and overshoot the limit, and wasm memory never shrinks. Pages that are not written to cost nothing.
    fn keep(&mut self, part: &[u8]) {
        let (old, new) = (self.line.len(), self.line.len() + part.len());
        if new > self.line.capacity() {
            let room = if new > self.limit / 16 { self.limit } else { 2 * new };
            self.line.reserve_exact(room - old);
        }
        self.line.extend_from_slice(part);
    }

    fn on_line(&mut self, line: &[u8], sink: &mut impl Sink) -> Result<(), TooLong> {
        let line = if core::mem::take(&mut self.at_start) { line.strip_prefix(BOM).unwrap_or(line) } else { line };
        if line.is_empty() {
            // Only now: what follows an id in an event that broke off was not received (P78).
            if let Some(id) = self.id.take() {
                sink.id(&id);
            }
            // An event whose data is empty is not dispatched: a stream that only sets an id, or a keep-alive (P22).
            if self.has_data && !self.data.is_empty() {
                sink.event(&self.name, &self.data);
            }
            self.data.clear();
            self.name.clear();
            self.has_data = false;
            return Ok(());
        }
        let colon = line.iter().position(|b| *b == b':');
        let field = line.get(..colon.unwrap_or(line.len())).unwrap_or_default();
        let value = colon.and_then(|at| line.get(at + 1..)).unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => {
                if self.data.len() + value.len() >= self.limit {
                    return self.die();
                }
                if self.has_data {
                    self.data.push(b'\n');
                }
                self.has_data = true;
                self.data.extend_from_slice(value);
            }
            b"event" => {
                self.name.clear();
                self.name.extend_from_slice(value);
            }
            b"id" if !value.contains(&0) => self.id = Some(value.to_vec()),
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                let ms =
                    value.iter().fold(0u64, |ms, digit| ms.saturating_mul(10).saturating_add(u64::from(digit - b'0')));
                sink.retry(ms);
            }
            // Comments (an empty field name) and unknown fields are ignored, never an error.
            _ => {}
        }
        Ok(())
    }

    fn die(&mut self) -> Result<(), TooLong> {
        *self = Self { dead: true, ..Self::new(0) };
        Err(TooLong)
    }
}

#[cfg(test)]
mod tests {
    use super::{Parser, Sink};

    struct Nobody;

    impl Sink for Nobody {
        fn event(&mut self, _name: &[u8], _data: &[u8]) {}
    }

    #[test]
    fn an_endless_line_takes_no_more_memory_than_the_limit() {
        let mut parser = Parser::new(1 << 20);
        let mut most = 0;
        while parser.push(&[b'x'; 1000], &mut Nobody).is_ok() {
            most = most.max(parser.line.capacity());
        }
        assert!(most <= 1 << 20, "{most} bytes were taken");
        assert_eq!(parser.line.capacity(), 0, "nothing of it is kept");
    }
}
