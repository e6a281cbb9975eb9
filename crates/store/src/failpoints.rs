//! Places at which a test lets a write fail. Without the feature `failpoints` they are nothing.

/// A place in the life of a write, in the order in which it passes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// The transaction is open; the key is not looked at yet.
    Opened,
    /// The key is free; nothing is changed.
    Checked,
    /// The record of an intent is written, not committed.
    Intended,
    /// The change is made; its record is not written.
    Answering,
    /// The record is written.
    Kept,
    /// The audit row is written; the commit comes next.
    Audited,
    /// All is committed; nobody was told.
    Committed,
}

impl Point {
    pub const ALL: [Self; 7] = [Self::Opened, Self::Checked, Self::Intended, Self::Answering, Self::Kept, Self::Audited, Self::Committed];
}

/// What happens there.
#[cfg(feature = "failpoints")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The database is gone.
    Error,
    Panic,
    /// The whole process ends at once, as by a kill.
    Abort,
}

/// The faults that a test has armed in one store.
#[cfg(feature = "failpoints")]
#[derive(Debug, Default)]
pub struct Failpoints {
    armed: std::sync::Mutex<Option<(Point, Fault)>>,
    passed: std::sync::Mutex<Vec<Point>>,
}

#[cfg(feature = "failpoints")]
impl Failpoints {
    /// Lets the next write that comes to `point` fail there, once.
    pub fn arm(&self, point: Point, fault: Fault) {
        *self.armed.lock().expect("no panic while held") = Some((point, fault));
    }

    /// The points that were passed since this was last asked.
    pub fn passed(&self) -> Vec<Point> {
        std::mem::take(&mut *self.passed.lock().expect("no panic while held"))
    }

    fn pass(&self, point: Point) -> Result<(), crate::StoreError> {
        self.passed.lock().expect("no panic while held").push(point);
        let fault = self.armed.lock().expect("no panic while held").take_if(|(armed, _)| *armed == point);
        match fault {
            None => Ok(()),
            Some((_, Fault::Error)) => Err(crate::StoreError::Closed),
            Some((_, Fault::Panic)) => panic!("the test asked for this panic at {point:?}"),
            Some((_, Fault::Abort)) => std::process::abort(),
        }
    }
}

impl crate::store::Inner {
    /// Passes the point.
    #[cfg(feature = "failpoints")]
    pub(crate) fn at(&self, point: Point) -> Result<(), crate::StoreError> {
        self.failpoints.pass(point)
    }

    #[cfg(not(feature = "failpoints"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the same call with and without the feature")]
    pub(crate) const fn at(&self, _point: Point) -> Result<(), crate::StoreError> {
        Ok(())
    }
}
