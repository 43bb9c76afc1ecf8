//! The calls that read metrics.

use serde::{Deserialize, Serialize};

use super::codec::Moment;
use super::metric::{Dimension, MetricId, Samples, Statistic};
use super::wire::Refusal;
use crate::Lab;
use crate::api::Call;

/// "A single call can return up to 1,440 data points" (API reference, `GetMetricStatistics`).
const DATAPOINTS_MAX: i64 = 1_440;
/// "A single GetMetricData call can include up to 500 MetricDataQuery structures."
const QUERIES_MAX: usize = 500;

/// Which end of time comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) enum ScanBy {
    #[default]
    TimestampDescending,
    TimestampAscending,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct GetMetricDataInput {
    metric_data_queries: Vec<Query>,
    start_time: Moment,
    end_time: Moment,
    scan_by: Option<ScanBy>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Query {
    id: String,
    metric_stat: MetricStat,
    label: Option<String>,
    return_data: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct MetricStat {
    metric: Metric,
    period: u32,
    stat: Statistic,
    unit: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Metric {
    namespace: String,
    metric_name: String,
    #[serde(default)]
    dimensions: Vec<Dimension>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetMetricDataOutput {
    metric_data_results: Vec<MetricDataResult>,
    messages: Vec<()>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MetricDataResult {
    id: String,
    label: String,
    timestamps: Vec<Moment>,
    values: Vec<f64>,
    status_code: &'static str,
}

fn check_period(period: u32) -> Result<(), Refusal> {
    match (period, period.is_multiple_of(60)) {
        (0, _) => Err(Refusal::validation("The parameter Period must be greater than 0.")),
        (_, true) => Ok(()),
        (_, false) => Err(Refusal::unsupported("periods that are not whole minutes")),
    }
}

fn check_range(start: Moment, end: Moment) -> Result<(), Refusal> {
    if start.0 >= end.0 {
        return Err(Refusal::invalid("The parameter StartTime must be less than the parameter EndTime."));
    }
    Ok(())
}

pub(super) fn get_metric_data(
    lab: &Lab,
    call: &Call,
    input: GetMetricDataInput,
) -> (String, Result<GetMetricDataOutput, Refusal>) {
    let queries = input.metric_data_queries.iter();
    let resource = queries.map(|query| query.metric_stat.metric.metric_name.as_str()).collect::<Vec<_>>().join(",");
    (resource, results(lab, call, input))
}

/// What tells the results of a call apart, beside the name of the metric: the labels say it (recorded from AWS).
struct Telling {
    statistic: bool,
    period: bool,
}

impl Telling {
    fn of(queries: &[Query]) -> Self {
        let mut pairs = queries.iter().zip(queries.iter().skip(1));
        let mut others = pairs.clone();
        Self {
            statistic: pairs.any(|(one, next)| one.metric_stat.stat != next.metric_stat.stat),
            period: others.any(|(one, next)| one.metric_stat.period != next.metric_stat.period),
        }
    }

    fn label(&self, metric: &str, statistic: Statistic, period: u32) -> String {
        let statistic = if self.statistic { format!(" {statistic:?}") } else { String::new() };
        let period = if self.period { format!(" {period}") } else { String::new() };
        format!("{metric}{statistic}{period}")
    }
}

fn results(lab: &Lab, call: &Call, input: GetMetricDataInput) -> Result<GetMetricDataOutput, Refusal> {
    check_range(input.start_time, input.end_time)?;
    if input.metric_data_queries.len() > QUERIES_MAX {
        let why = format!("The collection MetricDataQueries must not have a size greater than {QUERIES_MAX}.");
        return Err(Refusal::validation(why));
    }
    let telling = Telling::of(&input.metric_data_queries);
    let mut metric_data_results = Vec::new();
    for query in input.metric_data_queries.into_iter().filter(|query| query.return_data != Some(false)) {
        let MetricStat { metric, period, stat, unit } = query.metric_stat;
        check_period(period)?;
        let id = MetricId::new(&metric.namespace, &metric.metric_name, &metric.dimensions);
        let range = (input.start_time.0, input.end_time.0);
        let mut periods =
            lab.cloudwatch.region(&call.region, |region| region.metrics.periods(&id, range, period, unit.as_deref()));
        if input.scan_by.unwrap_or_default() == ScanBy::TimestampDescending {
            periods.reverse();
        }
        metric_data_results.push(MetricDataResult {
            id: query.id,
            label: query.label.unwrap_or_else(|| telling.label(&metric.metric_name, stat, period)),
            timestamps: periods.iter().map(|(at, _)| Moment(*at)).collect(),
            values: periods.iter().map(|(_, samples)| samples.value(stat)).collect(),
            status_code: "Complete",
        });
    }
    Ok(GetMetricDataOutput { metric_data_results, messages: Vec::new() })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct GetMetricStatisticsInput {
    namespace: String,
    metric_name: String,
    #[serde(default)]
    dimensions: Vec<Dimension>,
    start_time: Moment,
    end_time: Moment,
    period: u32,
    statistics: Vec<Statistic>,
    unit: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetMetricStatisticsOutput {
    label: String,
    datapoints: Vec<Datapoint>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Datapoint {
    timestamp: Moment,
    unit: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sample_count: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    average: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sum: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    minimum: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    maximum: Option<f64>,
}

impl Datapoint {
    fn of(at: Moment, unit: &str, samples: &Samples, wanted: &[Statistic]) -> Self {
        let value = |statistic| wanted.contains(&statistic).then(|| samples.value(statistic));
        Self {
            timestamp: at,
            unit: unit.to_owned(),
            sample_count: value(Statistic::SampleCount),
            average: value(Statistic::Average),
            sum: value(Statistic::Sum),
            minimum: value(Statistic::Minimum),
            maximum: value(Statistic::Maximum),
        }
    }
}

pub(super) fn get_metric_statistics(
    lab: &Lab,
    call: &Call,
    input: GetMetricStatisticsInput,
) -> (String, Result<GetMetricStatisticsOutput, Refusal>) {
    let resource = input.metric_name.clone();
    let statistics = || {
        check_period(input.period)?;
        check_range(input.start_time, input.end_time)?;
        let asked = input.end_time.0.duration_since(input.start_time.0).as_secs() / i64::from(input.period);
        if asked > DATAPOINTS_MAX {
            return Err(Refusal::combination(format!(
                "You have requested up to {asked} datapoints, which exceeds the limit of {DATAPOINTS_MAX}. You may reduce \
                 the datapoints requested by increasing Period, or decreasing the time range."
            )));
        }
        if input.statistics.is_empty() {
            return Err(Refusal::missing("Must specify either Statistics or ExtendedStatistics"));
        }
        let id = MetricId::new(&input.namespace, &input.metric_name, &input.dimensions);
        let range = (input.start_time.0, input.end_time.0);
        let datapoints = lab.cloudwatch.region(&call.region, |region| {
            let units = region.metrics.units(&id).into_iter();
            let units = units.filter(|unit| input.unit.as_ref().is_none_or(|wanted| wanted == unit));
            let points = units.flat_map(|unit| {
                let periods = region.metrics.periods(&id, range, input.period, Some(&unit));
                let points =
                    periods.iter().map(|(at, samples)| Datapoint::of(Moment(*at), &unit, samples, &input.statistics));
                points.collect::<Vec<_>>()
            });
            points.collect()
        });
        Ok(GetMetricStatisticsOutput { label: input.metric_name.clone(), datapoints })
    };
    (resource, statistics())
}
