//! CloudWatch's values of a metric.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat};
use aws_smithy_types::DateTime;
use failover::standby::Look;
use jiff::{SignedDuration, Timestamp};

use crate::cloudwatch::{client, whole};
use crate::error::CallError;
use crate::session::Session;

/// One metric, and how far back it is looked at.
pub(super) struct Series<'a> {
    pub namespace: &'a str,
    pub metric: &'a str,
    pub dimensions: &'a [(&'a str, &'a str)],
    pub stat: &'a str,
    pub lookback: SignedDuration,
}

/// Every value that CloudWatch has of it, of five minutes each, rounded up; none where it has no data.
pub(super) async fn values(session: &Session, series: &Series<'_>, now: Timestamp) -> Look<Vec<u64>> {
    points(session, series, now).await.map(|points| points.into_values().collect())
}

/// The same, by the second at which the five minutes begin.
pub(super) async fn points(session: &Session, series: &Series<'_>, now: Timestamp) -> Look<BTreeMap<i64, u64>> {
    let dimension = |(name, value): &(&str, &str)| Dimension::builder().name(*name).value(*value).build();
    let metric = Metric::builder()
        .namespace(series.namespace)
        .metric_name(series.metric)
        .set_dimensions(Some(series.dimensions.iter().map(dimension).collect()));
    let stat = MetricStat::builder().metric(metric.build()).period(300).stat(series.stat).build();
    let answer = client(session, None)
        .get_metric_data()
        .metric_data_queries(MetricDataQuery::builder().id("one").metric_stat(stat).build())
        .start_time(DateTime::from_secs((now - series.lookback).as_second()))
        .end_time(DateTime::from_secs(now.as_second()))
        .into_paginator()
        .send();
    let pages: Result<Vec<_>, _> = answer.collect().await;
    let pages = pages.map_err(|error| CallError::of("GetMetricData", error).to_string())?;
    let results = pages.iter().flat_map(|page| page.metric_data_results());
    let points = results.flat_map(|result| result.timestamps().iter().zip(result.values()));
    Ok(points.map(|(at, value)| (at.secs(), whole(value.ceil()))).collect())
}
