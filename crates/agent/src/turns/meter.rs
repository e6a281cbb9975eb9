//! Tokens and money: what a call may use, what it did use, and the ledger's entry for it.

use domain::NanoUsd;
use wire::control::LedgerState;
use wire::message::Usage;
use wire::run_event::{Failure, FailureCode};
use wire::run_spec::{ModelSpec, Price, RunLimits};

use crate::port::{Ledger, Settlement};

/// An answer shorter than this is not worth a call.
const MIN_OUTPUT_TOKENS: u64 = 256;

pub(super) struct Meter<'a> {
    ledger: &'a dyn Ledger,
    model: &'a ModelSpec,
    limits: &'a RunLimits,
    entries: u64,
    usage: Usage,
    cost: NanoUsd,
}

/// A call that may be made: its ledger entry is open.
pub(super) struct Reserved {
    entry: u64,
    pub(super) max_output_tokens: u64,
    input_tokens: u64,
}

/// How a call ended, for its settlement.
pub(super) enum Spent {
    /// The provider's own count.
    Reported(Usage),
    /// The provider began to answer; what it had counted, and about how much text had arrived.
    Estimated { reported: Usage, output_tokens: u64 },
    /// The provider never began to answer.
    Nothing,
}

impl<'a> Meter<'a> {
    pub(super) fn new(ledger: &'a dyn Ledger, model: &'a ModelSpec, limits: &'a RunLimits) -> Self {
        Self { ledger, model, limits, entries: 0, usage: Usage::default(), cost: NanoUsd::ZERO }
    }

    pub(super) fn usage(&self) -> Usage {
        self.usage
    }

    pub(super) fn cost(&self) -> NanoUsd {
        self.cost
    }

    /// Opens an entry for a call that sends about `input_tokens` and wants `output_tokens` back.
    ///
    /// # Errors
    /// The caps on tokens or cost leave no room for a useful call, or the ledger is lost.
    pub(super) async fn reserve(&mut self, input_tokens: u64, output_tokens: u64) -> Result<Reserved, Failure> {
        let max_output_tokens = self.allowance(input_tokens, output_tokens)?;
        let reserved = self.model.price.map_or(NanoUsd::ZERO, |price| {
            Self::upper_input_cost(price, input_tokens) + NanoUsd::for_tokens(max_output_tokens, price.output)
        });
        self.entries += 1;
        self.ledger.open(self.entries, reserved).await.map_err(|lost| super::lost(&lost))?;
        Ok(Reserved { entry: self.entries, max_output_tokens, input_tokens })
    }

    /// How many tokens the answer may have at most.
    fn allowance(&self, input_tokens: u64, wanted: u64) -> Result<u64, Failure> {
        let useful = MIN_OUTPUT_TOKENS.min(wanted);
        let left = self.limits.max_tokens.saturating_sub(self.usage.total()).saturating_sub(input_tokens);
        if left < useful {
            let message = format!(
                "The run has used {} tokens; with its next call it would pass its limit of {}.",
                self.usage.total(),
                self.limits.max_tokens
            );
            return Err(Failure::new(FailureCode::TokenLimit, message));
        }
        let room = self.model.context_window.saturating_sub(input_tokens).max(useful);
        let mut allowed = wanted.min(left).min(room);
        if let (Some(cap), Some(price)) = (self.limits.max_cost, self.model.price) {
            let left = cap.0.saturating_sub(self.cost.0).saturating_sub(Self::upper_input_cost(price, input_tokens).0);
            let affordable = affordable_tokens(left, price.output);
            if left < 0 || affordable < useful {
                let message = format!(
                    "The run has cost ${:.4}; with its next call it could pass its limit of ${:.4}.",
                    self.cost.as_dollars(),
                    cap.as_dollars()
                );
                return Err(Failure::new(FailureCode::CostLimit, message));
            }
            allowed = allowed.min(affordable);
        }
        Ok(allowed)
    }

    /// What the input costs if nothing of it is in the provider's cache yet.
    fn upper_input_cost(price: Price, tokens: u64) -> NanoUsd {
        NanoUsd::for_tokens(tokens, price.input.max(price.cache_write))
    }

    /// Closes the entry and returns the tokens that were counted.
    pub(super) async fn settle(&mut self, reserved: &Reserved, spent: Spent) -> Result<Usage, Failure> {
        let by_price = if self.model.price.is_some() { LedgerState::Priced } else { LedgerState::Unpriced };
        let (usage, state) = match spent {
            Spent::Reported(usage) => (usage, by_price),
            Spent::Estimated { mut reported, output_tokens } => {
                if reported.input + reported.cache_read + reported.cache_write == 0 {
                    reported.input = reserved.input_tokens;
                }
                reported.output = reported.output.max(output_tokens);
                (reported, LedgerState::Estimated)
            }
            Spent::Nothing => (Usage::default(), by_price),
        };
        let cost = self.model.price.map_or(NanoUsd::ZERO, |price| price.of(usage));
        self.usage += usage;
        self.cost += cost;
        self.ledger.settle(reserved.entry, Settlement { usage, cost, state }).await.map_err(|lost| super::lost(&lost))?;
        Ok(usage)
    }
}

/// How many tokens `nano_dollars` buy at `dollars_per_million`.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float-to-int cast saturates, and money here is far below 2^53"
)]
fn affordable_tokens(nano_dollars: i64, dollars_per_million: f64) -> u64 {
    if dollars_per_million <= 0.0 { u64::MAX } else { (nano_dollars.max(0) as f64 / (dollars_per_million * 1e3)) as u64 }
}
