//! What a set of durations looks like.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A distribution, in nanoseconds. Its text form is six numbers and is read back by [`FromStr`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantiles {
    pub count: u64,
    pub min: u64,
    pub p50: u64,
    pub p90: u64,
    pub p99: u64,
    pub max: u64,
}

impl Quantiles {
    /// `None` of nothing.
    pub fn of(durations: &[Duration]) -> Option<Self> {
        let nanoseconds = durations.iter().map(|duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)).collect();
        Self::of_numbers(nanoseconds)
    }

    /// The same of plain numbers, whatever their unit. A quantile is a value that was seen (nearest rank).
    pub fn of_numbers(mut numbers: Vec<u64>) -> Option<Self> {
        numbers.sort_unstable();
        let (min, max) = (*numbers.first()?, *numbers.last()?);
        let rank = |percent: usize| numbers[(numbers.len() * percent).div_ceil(100).max(1) - 1];
        Some(Self { count: numbers.len() as u64, min, p50: rank(50), p90: rank(90), p99: rank(99), max })
    }
}

impl fmt::Display for Quantiles {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} {} {} {} {}", self.count, self.min, self.p50, self.p90, self.p99, self.max)
    }
}

impl FromStr for Quantiles {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers: Result<Vec<u64>, _> = text.split_whitespace().map(str::parse).collect();
        match numbers.as_deref() {
            Ok(&[count, min, p50, p90, p99, max]) => Ok(Self { count, min, p50, p90, p99, max }),
            _ => Err("not six numbers"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_the_nearest_rank() {
        let hundred = Quantiles::of_numbers((1..=100).rev().collect()).unwrap();
        assert_eq!(hundred, Quantiles { count: 100, min: 1, p50: 50, p90: 90, p99: 99, max: 100 });
        let one = Quantiles::of(&[Duration::from_nanos(7)]).unwrap();
        assert_eq!(one, Quantiles { count: 1, min: 7, p50: 7, p90: 7, p99: 7, max: 7 });
        assert_eq!(Quantiles::of(&[]), None);
    }

    #[test]
    fn the_text_form_reads_back() {
        let quantiles = Quantiles::of_numbers(vec![5, 1, 9]).unwrap();
        assert_eq!(quantiles.to_string().parse(), Ok(quantiles));
        assert!("1 2 3".parse::<Quantiles>().is_err());
    }
}
