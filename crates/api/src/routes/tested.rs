//! Tests of what an organization has stored: requests that call out, in the steps of `store::Step`.

use connect::outbound::{PATIENCE, TestOutcome};
use store::{Intent, Repeat};

use crate::answer::Answer;
use crate::convert;
use crate::extract::Can;
use crate::extract::requirement::{OrgAccess, Requirement};
use crate::problem::Problem;

/// Makes the call of a test under the request's idempotency key, and answers with its outcome.
///
/// A test that was cut off is made again by the repetition of its request: it changes nothing, and who repeats it wants its outcome.
pub(super) async fn tested<P>(can: &Can<P>, call: impl Future<Output = TestOutcome>) -> Result<Answer, Problem>
where
    P: Requirement<Access = OrgAccess>,
{
    // Longer than the call can take, because the rest of the request counts as well.
    let intent = Intent { repeat: Repeat::Continue, note: Vec::new(), within: PATIENCE * 2 };
    let step = can.write_org().await?.intend(intent).await?;
    let outcome = call.await;
    Answer::done(step.conclude().await?, 200, &convert::test_result(outcome)).await
}
