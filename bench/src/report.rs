//! The table: one line for each thing measured, printed as soon as it is known.

use std::time::{Duration, Instant};

use bench::quantiles::Quantiles;
use domain::{Clock as _, SystemClock};

use crate::{Options, machine};

/// The largest value that is good, or the smallest, in the unit of the line.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bar {
    None,
    /// p50, and p99 where the architecture names one.
    AtMost {
        p50: f64,
        p99: Option<f64>,
    },
    AtLeast(f64),
}

impl Bar {
    pub(crate) const fn at_most(p50: f64) -> Self {
        Self::AtMost { p50, p99: None }
    }
}

/// Prints lines as they come.
#[derive(Debug)]
pub(crate) struct Report {
    begin: Instant,
    bars: usize,
    missed: usize,
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "the result of this program")]
impl Report {
    /// Says where and on what is measured.
    pub(crate) fn begin(options: &Options) -> anyhow::Result<Self> {
        println!("{}, {}", SystemClock.now().format("%Y-%m-%d %H:%M UTC"), machine::describe()?);
        println!();
        if options.quick || cfg!(debug_assertions) {
            println!("**Not for reading**: {}.", if options.quick { "--quick" } else { "dev build" });
            println!();
        }
        println!("| what | n | min | p50 | p90 | p99 | max | bar | verdict |");
        println!("|---|--:|--:|--:|--:|--:|--:|---|---|");
        Ok(Self { begin: Instant::now(), bars: 0, missed: 0 })
    }

    pub(crate) fn end(&self) -> anyhow::Result<()> {
        println!();
        let (seconds, load) = (self.begin.elapsed().as_secs_f64(), machine::load_average()?);
        println!("{} of {} bars missed. Took {seconds:.0} s; load average at the end {load}.", self.missed, self.bars);
        Ok(())
    }

    /// Measures a section; `true` when that failed, which is said and does not keep the others from being measured.
    pub(crate) async fn section(&mut self, name: &str, wanted: bool, measure: impl AsyncFnOnce(&mut Self) -> anyhow::Result<()>) -> bool {
        if !wanted {
            return false;
        }
        let load = machine::load_average().unwrap_or_default();
        println!("| **{name}** (load {load}) | | | | | | | | |");
        match measure(self).await {
            Ok(()) => false,
            Err(error) => {
                println!("| could not be measured | | | | | | | | |");
                eprintln!("bench: {name}: {error:#}");
                true
            }
        }
    }

    /// A distribution of durations, shown in milliseconds.
    pub(crate) fn durations(&mut self, what: &str, durations: &[Duration], bar: Bar) {
        match Quantiles::of(durations) {
            Some(quantiles) => self.quantiles(what, quantiles, (1e6, "ms"), bar),
            None => println!("| {what} | 0 | | | | | | | nothing measured |"),
        }
    }

    /// A distribution, shown in a unit that is `scale` of its numbers.
    #[expect(clippy::cast_precision_loss, reason = "numbers for people")]
    pub(crate) fn quantiles(&mut self, what: &str, quantiles: Quantiles, (scale, unit): (f64, &str), bar: Bar) {
        let Quantiles { count, min, p50, p90, p99, max } = quantiles;
        let [min, p50, p90, p99, max] = [min, p50, p90, p99, max].map(|number| number as f64 / scale);
        let (bar, verdict) = self.judge(bar, p50, p99, unit);
        println!("| {what}, {unit} | {count} | {} | {} | {} | {} | {} | {bar} | {verdict} |", n(min), n(p50), n(p90), n(p99), n(max));
    }

    /// A single number, such as a rate.
    pub(crate) fn value(&mut self, what: &str, value: f64, unit: &str, bar: Bar) {
        let (bar, verdict) = self.judge(bar, value, value, unit);
        println!("| {what}, {unit} | 1 | | {} | | | | {bar} | {verdict} |", n(value));
    }

    fn judge(&mut self, bar: Bar, p50: f64, p99: f64, unit: &str) -> (String, String) {
        let (bar, verdict) = judge(bar, p50, p99, unit);
        self.bars += usize::from(!bar.is_empty());
        self.missed += usize::from(verdict.starts_with("**"));
        (bar, verdict)
    }

    /// What two distributions differ in, with its own bar.
    #[expect(clippy::cast_precision_loss, reason = "numbers for people")]
    pub(crate) fn difference(&mut self, what: &str, (with, without): (Quantiles, Quantiles), bar: Bar) {
        let less = |with: u64, without: u64| (with as f64 - without as f64) / 1e6;
        let [p50, p90, p99] = [less(with.p50, without.p50), less(with.p90, without.p90), less(with.p99, without.p99)];
        let (bar, verdict) = self.judge(bar, p50, p99, "ms");
        println!("| {what}, ms | | | {} | {} | {} | | {bar} | {verdict} |", n(p50), n(p90), n(p99));
    }
}

/// The bar in words and the verdict with the ratios, if there is a bar.
fn judge(bar: Bar, p50: f64, p99: f64, unit: &str) -> (String, String) {
    let verdict = |is_met: bool, ratios: String| if is_met { format!("met ({ratios})") } else { format!("**missed** ({ratios})") };
    match bar {
        Bar::None => (String::new(), String::new()),
        Bar::AtMost { p50: most, p99: None } => (format!("p50 ≤ {most} {unit}"), verdict(p50 <= most, format!("× {:.2}", p50 / most))),
        Bar::AtMost { p50: most, p99: Some(most_p99) } => (
            format!("p50 ≤ {most}, p99 ≤ {most_p99} {unit}"),
            verdict(p50 <= most && p99 <= most_p99, format!("× {:.2}, × {:.2}", p50 / most, p99 / most_p99)),
        ),
        Bar::AtLeast(least) => (format!("≥ {least} {unit}"), verdict(p50 >= least, format!("× {:.2}", p50 / least))),
    }
}

/// Three digits that count.
fn n(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        small if small >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_miss_of_either_quantile_is_a_miss() {
        let bar = Bar::AtMost { p50: 2.0, p99: Some(10.0) };
        assert_eq!(judge(bar, 1.0, 5.0, "ms").1, "met (× 0.50, × 0.50)");
        assert_eq!(judge(bar, 1.0, 20.0, "ms").1, "**missed** (× 0.50, × 2.00)");
        assert_eq!(judge(bar, 4.0, 5.0, "ms").1, "**missed** (× 2.00, × 0.50)");
        assert_eq!(judge(Bar::AtLeast(4000.0), 2000.0, 2000.0, "req/s").1, "**missed** (× 0.50)");
    }

    #[test]
    fn numbers_have_three_digits() {
        assert_eq!([0.0123, 1.234, 12.34, 1234.5].map(n), ["0.012", "1.23", "12.3", "1234"]);
    }
}
