//! Two users of one client never see each other's private results (invariant I10, protocol P55), whatever happens in between: a model
//! that knows who each value belongs to watches 100,000 random steps.

#![allow(clippy::indexing_slicing, reason = "a test speaks by panicking")]

use std::collections::HashMap;

use bowline_core::{
    CacheKey, CacheLimits, CacheMode, CallId, Code, Command, Config, Hint, Incoming, Input, Keep, LinkEvent, LinkId,
    Method, Outgoing, Output, Payload, Request, RequestId, ResultKind, Rng,
};
use bowline_support::{connect, failure, fixed, ms, tools_list, Doc, Driver};

const STEPS: u32 = 100_000;
const KEYS: u32 = 4;
const SLOTS: u32 = 12;

/// A value of its owner; `edition` 1 is public.
fn of(user: u32, public: bool) -> Doc {
    Doc { key: user, edition: u32::from(public), ..Doc::default() }
}

struct Model {
    driver: Driver,
    rng: Rng,
    user: u32,
    link: LinkId,
    /// Who made the call in each slot.
    callers: HashMap<CallId, u32>,
    /// Requests that the server has not answered, with whose credentials they came.
    open: Vec<(RequestId, u32)>,
    seen: [u32; 3],
}

impl Model {
    fn new() -> Self {
        let limits = CacheLimits { max_size: 3, stale_while_revalidate: ms(5_000), ..CacheLimits::default() };
        let config = Config { cache: Some(limits), http: false, timeout: ms(4_000), ..fixed() };
        let mut model = Self {
            driver: Driver::new(config, 7),
            rng: Rng::seeded(10),
            user: 0,
            link: LinkId(0),
            callers: HashMap::new(),
            open: Vec::new(),
            seen: [0; 3],
        };
        model.feed(Input::Command(Command::Call(CallId(SLOTS), connect())));
        model
    }

    fn check(&mut self, caller: u32, doc: Doc) {
        assert!(doc.edition == 1 || doc.key == caller, "user {caller} was shown what is private to user {}", doc.key);
        self.seen[usize::from(doc.key != caller)] += 1;
    }

    fn feed(&mut self, input: Input<Doc>) {
        self.driver.tell(input);
        while let Some(output) = self.driver.poll() {
            match output {
                Output::Dial { link, .. } => {
                    self.link = link;
                    self.driver.tell(Input::Link(link, LinkEvent::Opened));
                }
                Output::Send { link, message: Outgoing::Discover(id), .. } => {
                    let doc = Doc::supporting("2026-07-28");
                    let kind = ResultKind::Complete;
                    let answer = Incoming::Result { id, kind, hint: Hint::default(), size: 1, payload: doc };
                    self.driver.tell(Input::Link(link, LinkEvent::Message(answer)));
                }
                Output::Send { message: Outgoing::Request { id, .. }, .. } => {
                    let caller = self.callers.get(&id.slot()).copied().unwrap_or(u32::MAX);
                    self.open.push((id, caller));
                }
                Output::Serve(slot, doc) => {
                    self.seen[2] += 1;
                    let caller = self.callers[&slot];
                    self.check(caller, doc);
                }
                Output::Settle(slot, end) => {
                    let caller = self.callers.remove(&slot);
                    match (caller, end) {
                        (Some(caller), Ok(settled)) => {
                            if let Some(doc) = settled.payload {
                                self.check(caller, doc);
                            }
                        }
                        (_, Err(error)) => assert_ne!(error.code, Code::Internal),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
    }

    fn step(&mut self) {
        let key = CacheKey(1 + self.rng.below(u64::from(KEYS)) as u32);
        let public = self.rng.unit() < 0.2;
        match self.rng.below(20) {
            0..=8 => {
                let slot = CallId(self.rng.below(u64::from(SLOTS)) as u32);
                let modes = [
                    CacheMode::Use,
                    CacheMode::Use,
                    CacheMode::Refresh,
                    CacheMode::OnlyIfCached,
                    CacheMode::StaleWhileRevalidate,
                ];
                let cache_mode = modes[self.rng.below(5) as usize];
                if let std::collections::hash_map::Entry::Vacant(entry) = self.callers.entry(slot) {
                    entry.insert(self.user);
                    self.feed(Input::Command(Command::Call(slot, Request { cache_mode, ..tools_list(key.0) })));
                }
            }
            9..=13 if !self.open.is_empty() => {
                let at = self.rng.below(self.open.len() as u64) as usize;
                let (id, owner) = self.open.swap_remove(at);
                let hint = Hint { ttl: Some(ms(self.rng.below(6_000))), public };
                let payload = of(owner, public);
                let message = if self.rng.unit() < 0.2 {
                    failure(id, -32603)
                } else {
                    Incoming::Result { id, kind: ResultKind::Complete, hint, size: 10, payload }
                };
                self.feed(Input::Link(self.link, LinkEvent::Message(message)));
            }
            14 => {
                self.user = self.rng.below(3) as u32;
                self.feed(Input::Command(Command::ChangeContext));
            }
            15 => {
                let newer = self.rng.unit() < 0.5;
                let payload = of(self.user, public);
                let ttl = Some(ms(3_000));
                let keep = Keep {
                    method: Method::TOOLS_LIST,
                    subject: payload.subject(),
                    payload,
                    size: 10,
                    ttl,
                    public,
                    newer,
                };
                self.feed(Input::Command(Command::Keep(key, keep)));
            }
            16 => {
                if let Some(doc) = self.driver.engine.peek(self.driver.now, key) {
                    self.check(self.user, doc);
                }
            }
            17 => {
                let slot = CallId(self.rng.below(u64::from(SLOTS)) as u32);
                self.feed(Input::Command(Command::Cancel(slot)));
            }
            18 if self.rng.unit() < 0.2 => {
                self.feed(Input::Link(self.link, LinkEvent::Closed(1006)));
                self.open.clear();
            }
            _ => {
                self.driver.now = self.driver.now + ms(self.rng.below(1_500));
                self.feed(Input::Timeout);
            }
        }
    }
}

#[test]
fn nothing_private_crosses_from_one_user_to_another() {
    let mut model = Model::new();
    for _ in 0..STEPS {
        model.step();
    }
    let [own, shared, stale] = model.seen;
    assert!(own > 10_000 && shared > 300 && stale > 300, "much of each was seen: {:?}", model.seen);
}
