//! What a server wants of the application before it goes on: input for a call, other headers, an answer to a request of its own. The
//! call waits meanwhile, off the wire and without a limit; the answer sends it again as new. What the answer is, is not decided here.

use super::{CallId, Code, Detail, Engine, Error, LinkId, Method, Outgoing, Output, Payload, Phase, Purpose};
use crate::io::Need;
use crate::link::Ask;
use crate::time::Duration;
use crate::wire::{Asked, Era};

/// Results of these may ask for input (P41).
const MAY_ASK: [Method; 3] = [Method::TOOLS_CALL, Method::RESOURCES_READ, Method::PROMPTS_GET];
/// How long the first return of nothing but the server's state is held back, and any at most (P42). Milliseconds.
const STATE_PAUSE: u64 = 100;
const LONGEST_STATE_PAUSE: u64 = 5_000;

impl<P: Payload> Engine<P> {
    /// A call was answered with a question.
    pub(super) fn on_input_required(&mut self, id: CallId, state_only: bool, payload: P) {
        let Some(call) = self.calls.at_mut(id) else {
            return;
        };
        let modern = call.sending().is_some_and(|sending| sending.era == Era::Modern);
        if !modern || !MAY_ASK.contains(&call.request.method) {
            return self.fail(id, Error::new(Code::InvalidResult, Detail::Note("result-type")), false);
        }
        if call.served {
            // Nobody is there to be asked; whoever shares the read asks for himself.
            self.unsend(id);
            return self.give_up(id, Code::InputRequired, Detail::None);
        }
        if call.rounds >= self.config.max_input_rounds {
            return self.fail(id, Error::new(Code::InputRequired, Detail::Input(payload, "rounds")), true);
        }
        // Doubled with each round; six times are more than the longest.
        let pause = if state_only { (STATE_PAUSE << call.rounds.min(6)).min(LONGEST_STATE_PAUSE) } else { 0 };
        call.rounds += 1;
        let key = call.request.key.take();
        let error = Error::new(Code::InputRequired, Detail::Input(payload.clone(), ""));
        self.ask(id, Need::Input, payload, Ask { error, pause: Duration::from_millis(pause) });
        // What it brings from now on is its caller's own (P46): it is not kept, and whoever shared it asks for himself.
        let Some(key) = key else {
            return;
        };
        if let Some(heir) = self.flight.leave(id) {
            return self.requeue(heir);
        }
        self.flight.land(id);
        self.let_go(key);
    }

    /// Takes a call off the wire until the application has given it new params.
    pub(super) fn ask(&mut self, id: CallId, need: Need, payload: P, ask: Ask<P>) {
        self.unsend(id);
        if let Some(call) = self.calls.at_mut(id) {
            call.ask = Some(ask);
        }
        self.calls.enter(id, Phase::Asking(self.now));
        self.out.push_back(Output::Ask(id, need, payload));
    }

    /// The application's answer: a new sending in its own right, as far as the replay rules go.
    pub(super) fn on_params(&mut self, id: CallId, params: Option<P>) {
        let now = self.now;
        let Some(Ask { error, pause }) = self.calls.at_mut(id).and_then(|call| call.stop_asking(now)) else {
            return;
        };
        let Some(params) = params else {
            return self.fail(id, error, true);
        };
        if let Some(call) = self.calls.at_mut(id) {
            call.request.params = Some(params);
            call.replays = 0;
        }
        if pause == Duration::ZERO {
            self.requeue(id);
        } else {
            self.calls.enter(id, Phase::Delayed(now + pause));
        }
        self.flush();
    }

    /// A request of the server. Only the legacy eras have any (P26).
    pub(super) fn on_request(&mut self, link: LinkId, asked: Asked, payload: P) {
        match self.connection.up().filter(|up| up.id == link).map(|up| up.version.era()) {
            Some(Era::Modern) => self.metrics.violations += 1,
            Some(Era::Legacy) if asked == Asked::Ping => self.respond(link, Outgoing::Pong(payload)),
            Some(Era::Legacy) => self.out.push_back(Output::Asked(link, payload)),
            None => {}
        }
    }

    /// Answers a request of the server, if the link it came on still works.
    pub(super) fn respond(&mut self, link: LinkId, response: Outgoing<P>) {
        self.with(|connection, cx| {
            if let Some(up) = connection.up().filter(|up| up.id == link) {
                cx.write(up, Purpose::Silent, response);
            }
        });
    }
}
