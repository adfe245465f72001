//! An engine under a virtual clock, with everything it said on record. It performs nothing: what an output does to the world is the
//! business of whoever drives.

use bowline_core::{Config, Engine, Input, Instant, Output};

use crate::Doc;

/// An engine and its clock.
#[derive(Debug)]
pub struct Driver {
    /// The engine.
    pub engine: Engine<Doc>,
    /// The virtual time.
    pub now: Instant,
    /// When it wants to be woken.
    pub timer: Option<Instant>,
    /// Everything it said, except for timers.
    pub log: Vec<(Instant, Output<Doc>)>,
}

impl Driver {
    /// A fresh engine at the origin of the clock.
    #[must_use]
    pub fn new(config: Config, seed: u64) -> Self {
        let now = Instant::default();
        Self { engine: Engine::new(config, seed, now), now, timer: None, log: Vec::new() }
    }

    /// Hands in what happens now and drains; returns where in the log the consequences begin.
    pub fn input(&mut self, input: Input<Doc>) -> usize {
        let from = self.log.len();
        self.tell(input);
        while self.poll().is_some() {}
        from
    }

    /// Hands in what happens now, without draining.
    pub fn tell(&mut self, input: Input<Doc>) {
        self.engine.handle_input(self.now, input);
    }

    /// The next thing to do, until there is nothing more for now.
    pub fn poll(&mut self) -> Option<Output<Doc>> {
        match self.engine.poll_output() {
            Output::Timeout(timer) => {
                self.timer = timer;
                None
            }
            output => {
                self.log.push((self.now, output.clone()));
                Some(output)
            }
        }
    }
}
