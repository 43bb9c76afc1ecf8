//! What an ARN says of where its resource is.

/// The alarm's name within its ARN, `arn:aws:cloudwatch:REGION:ACCOUNT:alarm:NAME`.
#[must_use]
pub fn alarm_name(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(7, ':');
    let kind = (parts.next()?, parts.nth(1)?, parts.nth(2)?);
    let name = parts.next().filter(|name| !name.is_empty())?;
    matches!(kind, ("arn", "cloudwatch", "alarm")).then_some(name)
}

/// The region within an ARN.
#[must_use]
pub fn arn_region(arn: &str) -> Option<&str> {
    arn.split(':').nth(3)
}

/// The account within an ARN.
#[must_use]
pub fn arn_account(arn: &str) -> Option<&str> {
    arn.split(':').nth(4)
}
