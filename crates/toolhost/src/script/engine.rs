//! One QuickJS runtime with its guards: memory, depth, and an interrupt that asks the clock of whoever is running.

use std::rc::Rc;

use rquickjs::context::EvalOptions;
use rquickjs::{CatchResultExt as _, Context, Ctx, Function, Object, Persistent, Runtime};
use serde::Deserialize;
use serde_json::Value;
use wire::hands::{ToolModule, ToolOutcome};

use crate::control::Stop;

use super::http::{FetchError, Response};
use super::instance::Run;
use super::modules::Modules;
use super::natives;
use super::shared::{Registered, Scope, Shared};

const MAX_STACK_BYTES: usize = 1024 * 1024;
/// The name under which the prelude is evaluated; only it may import by absolute path.
pub(super) const PRELUDE: &str = "appstrate:prelude";

/// In this order: later ones use what earlier ones define.
const GLOBALS: [&str; 10] = [
    include_str!("js/globals/encoding.js"),
    include_str!("js/globals/events.js"),
    include_str!("js/globals/timers.js"),
    include_str!("js/globals/url.js"),
    include_str!("js/globals/clone.js"),
    include_str!("js/globals/crypto.js"),
    include_str!("js/globals/headers.js"),
    include_str!("js/globals/fetch.js"),
    include_str!("js/globals/process.js"),
    include_str!("js/globals/locale.js"),
];
const EXTENSION: &str = include_str!("js/extension.js");
const BRIDGE: &str = include_str!("js/bridge.js");

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TurnEnd {
    /// Nothing left to do.
    Idle,
    /// The running code was interrupted.
    Stopped,
    /// Jobs kept coming until the time was over.
    Storm,
}

pub(super) struct Engine {
    // Dropped in this order: a value must not outlive its runtime.
    bridge: Persistent<Object<'static>>,
    context: Context,
    runtime: Runtime,
    shared: Rc<Shared>,
}

impl Engine {
    /// Makes a runtime and begins to load the package; the end of it arrives in [`Shared::settled`].
    pub(super) fn load(module: &ToolModule, shared: &Rc<Shared>) -> Result<Self, String> {
        let workspace = &shared.surroundings.workspace;
        let directory = workspace.resolve(&module.directory).map_err(|error| error.to_string())?;
        let modules = Modules::new(directory);
        let entry = modules.entry(&module.entrypoint)?;
        let runtime = Runtime::new().map_err(|error| error.to_string())?;
        runtime.set_memory_limit(usize::try_from(shared.surroundings.memory_bytes).unwrap_or(usize::MAX));
        runtime.set_max_stack_size(MAX_STACK_BYTES);
        runtime.set_loader(modules.clone(), modules);
        let watched = Rc::clone(shared);
        runtime.set_interrupt_handler(Some(Box::new(move || watched.must_stop())));
        let context = Context::full(&runtime).map_err(|error| error.to_string())?;
        let bridge = context.with(|ctx| {
            prelude(&ctx, shared).catch(&ctx).map(|bridge| Persistent::save(&ctx, bridge)).map_err(|error| error.to_string())
        })?;
        let engine = Self { bridge, context, runtime, shared: Rc::clone(shared) };
        let scope = shared.scope.borrow().clone();
        engine.turn(scope, |_, bridge| bridge.get::<_, Function>("load")?.call((entry,)));
        Ok(engine)
    }

    /// The tools in the JSON that the prelude reported.
    pub(super) fn registered(json: &str) -> Result<Vec<Registered>, String> {
        #[derive(Deserialize)]
        struct Tool {
            name: String,
            #[serde(default)]
            description: String,
            parameters: Value,
        }
        let tools: Vec<Tool> = serde_json::from_str(json).map_err(|error| format!("a registered tool is not valid: {error}"))?;
        if tools.is_empty() {
            return Err("the module registered no tool".to_owned());
        }
        Ok(tools
            .into_iter()
            .map(|tool| Registered { name: tool.name, description: tool.description, parameters: tool.parameters })
            .collect())
    }

    /// Calls a tool's `execute`.
    pub(super) fn invoke(&self, scope: Scope, run: &Run) -> TurnEnd {
        self.turn(scope, |_, bridge| {
            let arguments = (run.call.to_string(), run.tool.as_str(), run.tool_call_id.as_str(), run.arguments.as_str());
            bridge.get::<_, Function>("invoke")?.call(arguments)
        })
    }

    /// Aborts the `signal` of a call.
    pub(super) fn abort(&self, scope: Scope, call: u64, stop: Stop) -> TurnEnd {
        let name = if stop == Stop::TimedOut { "TimeoutError" } else { "AbortError" };
        self.turn(scope, |_, bridge| bridge.get::<_, Function>("abort")?.call((call.to_string(), name)))
    }

    /// Whether a call's tool listens to its `signal`.
    pub(super) fn awaits_abort(&self, call: u64) -> bool {
        self.context.with(|ctx| {
            let asked = self.bridge(&ctx).and_then(|bridge| bridge.get::<_, Function>("awaitsAbort")?.call::<_, bool>((call.to_string(),)));
            asked.catch(&ctx).unwrap_or(false)
        })
    }

    pub(super) fn timer(&self, scope: Scope, operation: u64) -> TurnEnd {
        self.turn(scope, |_, bridge| bridge.get::<_, Function>("fired")?.call((operation,)))
    }

    pub(super) fn fetched(&self, scope: Scope, operation: u64, result: Result<Response, FetchError>) -> TurnEnd {
        self.turn(scope, |ctx, bridge| {
            let answer = natives::fetch::answer(ctx, result)?;
            bridge.get::<_, Function>("fetched")?.call((operation, answer))
        })
    }

    /// What a settled call came to.
    pub(super) fn outcome(result: Result<String, String>) -> ToolOutcome {
        match result {
            Ok(json) => {
                serde_json::from_str(&json).unwrap_or_else(|error| ToolOutcome::error(format!("the tool's result is not valid: {error}")))
            }
            Err(message) => ToolOutcome::error(message),
        }
    }

    fn bridge<'js>(&self, ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
        self.bridge.clone().restore(ctx)
    }

    /// Does one piece of work on somebody's account, then the jobs that follow from it.
    fn turn(&self, scope: Scope, work: impl for<'js> FnOnce(&Ctx<'js>, Object<'js>) -> rquickjs::Result<()>) -> TurnEnd {
        *self.shared.scope.borrow_mut() = scope;
        self.shared.interrupted.set(false);
        self.context.with(|ctx| {
            if self.bridge(&ctx).and_then(|bridge| work(&ctx, bridge)).is_err() {
                // The bridge itself does not throw: this is an interrupt, or no memory is left. Either shows in what does not settle.
                let _exception = ctx.catch();
            }
        });
        match self.drain() {
            TurnEnd::Stopped => {
                // The jobs of the other calls are behind in the queue.
                *self.shared.scope.borrow_mut() = Scope::background();
                self.shared.interrupted.set(false);
                if self.drain() == TurnEnd::Idle { TurnEnd::Stopped } else { TurnEnd::Storm }
            }
            end => end,
        }
    }

    fn drain(&self) -> TurnEnd {
        while !self.shared.interrupted.get() {
            if !self.runtime.is_job_pending() {
                return TurnEnd::Idle;
            }
            if self.shared.must_stop() {
                return TurnEnd::Storm;
            }
            if let Err(exception) = self.runtime.execute_pending_job() {
                // Promise reactions do not throw; see `turn`.
                exception.0.with(|ctx| drop(ctx.catch()));
            }
        }
        TurnEnd::Stopped
    }
}

/// Evaluates the prelude and returns the bridge: the functions that Rust calls.
fn prelude<'js>(ctx: &Ctx<'js>, shared: &Rc<Shared>) -> rquickjs::Result<Object<'js>> {
    let host = natives::install(ctx, shared)?;
    let internal = Object::new(ctx.clone())?;
    // The builtin modules find both here; tools gain nothing by it that their sandbox does not grant.
    let symbol: Function = ctx.eval(
        "(host, internal) => Object.defineProperty(globalThis, Symbol.for('appstrate.tool.runtime'), { value: { host, internal } })",
    )?;
    symbol.call::<_, ()>((host.clone(), internal.clone()))?;
    for source in GLOBALS {
        evaluate::<Function>(ctx, source)?.call::<_, ()>((host.clone(), internal.clone()))?;
    }
    let extension: Function = evaluate(ctx, EXTENSION)?;
    evaluate::<Function>(ctx, BRIDGE)?.call((host, internal, extension))
}

fn evaluate<'js, V: rquickjs::FromJs<'js>>(ctx: &Ctx<'js>, source: &str) -> rquickjs::Result<V> {
    let mut options = EvalOptions::default();
    options.filename = Some(PRELUDE.to_owned());
    ctx.eval_with_options(source, options)
}
