//! A simulated company goes in through the import RPCs; every figure that comes out is the one that the simulator, which
//! shares no code with the suite, counted on its way.

use std::collections::BTreeMap;

use barometer::{demo::load, endpoint::Endpoint};
use barometer_chassis::testing::{DatabaseKind, TestDatabase};
use barometer_proto::{
    common::v1::Money,
    metrics::v1::{Filter, Granularity, QueryMetricsRequest, Row},
};
use barometer_simulator::{
    Company, Life, Parameters, Truth,
    company::{ADVERTISING, Survey},
    life::{Given, Referral, VOUCHER},
    rows,
    timeline::MONTHS,
    truth::{Cases, Scores},
};
use barometer_tests::Suite;

/// 2026-10-20T12:00:00Z: in the middle of a month.
const UNTIL: i64 = 1_792_497_600_000_000;

#[tokio::test(flavor = "multi_thread")]
async fn figures_are_the_truth() {
    for (kind, customers) in [(DatabaseKind::Sqlite, 400), (DatabaseKind::Postgres, 100)] {
        let database = TestDatabase::new(kind).await;
        let suite = Suite::start(&database).await;
        let company = Company::new(Parameters { customers, seed: 7, until: UNTIL }).expect("an end of time");
        let endpoint = Endpoint::at(&suite.endpoint);
        let loaded = load::load(&endpoint, &company).await.expect("everything is taken");
        let asked = Asked { suite, truth: company.truth(), company, positions: loaded.positions };

        asked.answers().await;
        asked.scores_of_other_scales().await;
        asked.money().await;
        asked.customers().await;
        asked.cohorts().await;
        asked.complaints().await;
        asked.loyalty().await;
        asked.costs().await;

        // Again, nothing is new.
        let again = load::load(&endpoint, &asked.company).await.expect("everything is there");
        assert_eq!(again.facts, loaded.facts);
        asked.answers().await;
        asked.complaints().await;
        asked.suite.stop().await;
    }
}

/// Counts by period and group; where there are none, nothing.
type Counts = BTreeMap<(String, Vec<String>), Vec<f64>>;

struct Asked {
    suite: Suite,
    company: Company,
    truth: Truth,
    positions: Vec<String>,
}

impl Asked {
    async fn answers(&self) {
        for survey in [Survey::Relationship, Survey::Delivery] {
            let filters = only("survey", survey.name());
            let rows = self.rows("nps", Granularity::Month, &["channel"], filters.clone()).await;
            let of_survey = self.truth.answers.iter().filter(|((of, _, _), _)| *of == survey);
            let truth = of_survey.map(|((_, month, channel), scores)| (self.at(*month, &[channel]), recommend(scores)));
            same(&rows, &["channel"], &["promoters", "passives", "detractors", "answers"], truth);
            for row in rows.iter().filter(|row| row.value.is_some()) {
                let score = 100.0 * (row.counts["promoters"] - row.counts["detractors"]) / row.counts["answers"];
                near(row.value, Some(score));
            }

            let rows = self.rows("nps", Granularity::Unspecified, &["tier"], filters).await;
            let of_survey = self.truth.answers_of_tiers.iter().filter(|((of, _), _)| *of == survey);
            let truth = of_survey.map(|((_, tier), scores)| (at_all(&[tier]), recommend(scores)));
            same(&rows, &["tier"], &["promoters", "passives", "detractors", "answers"], truth);
        }
        let rows =
            self.rows("nps", Granularity::Unspecified, &["delivery"], only("survey", Survey::Delivery.name())).await;
        let truth = self.truth.deliveries.iter();
        let truth = truth.map(|(late, scores)| (at_all(&[if *late { "late" } else { "on time" }]), recommend(scores)));
        same(&rows, &["delivery"], &["promoters", "passives", "detractors", "answers"], truth);
    }

    async fn scores_of_other_scales(&self) {
        let months = |survey| (0..MONTHS).map(move |month| (month, self.truth.answers_of(survey, month)));
        let rows = self.rows("csat", Granularity::Month, &[], Vec::new()).await;
        let truth = months(Survey::Support)
            .map(|(month, scores)| (self.at(month, &[]), vec![scores.from_to(4, 5) as f64, scores.scored() as f64]));
        same(&rows, &[], &["satisfied", "answers"], truth);

        let rows = self.rows("ces", Granularity::Month, &[], Vec::new()).await;
        let truth = months(Survey::Checkout).map(|(month, scores)| (self.at(month, &[]), vec![scores.scored() as f64]));
        same(&rows, &[], &["answers"], truth);
        for row in rows {
            let month = (0..MONTHS).find(|month| self.company.timeline().label(*month) == row.label);
            let scores = self.truth.answers_of(Survey::Checkout, month.expect("a month"));
            near(row.value, (scores.scored() > 0).then(|| scores.sum() as f64 / scores.scored() as f64));
        }

        let rows = self.rows("responses", Granularity::Month, &["survey"], Vec::new()).await;
        let of_survey = |survey| months(survey).map(move |(month, scores)| (survey, month, scores));
        let truth = Survey::ALL.into_iter().flat_map(of_survey).map(|(survey, month, scores)| {
            let (scored, blank) = (scores.scored() as f64, scores.blank as f64);
            (self.at(month, &[survey.name()]), vec![scored + blank, scored, blank])
        });
        same(&rows, &["survey"], &["responses", "scored", "unscored"], truth);
    }

    async fn money(&self) {
        let rows = self.rows("revenue", Granularity::Month, &["currency"], Vec::new()).await;
        let truth = self.truth.revenue.iter().map(|((month, currency), revenue)| {
            (self.at(*month, &[currency]), vec![revenue.sales as f64, revenue.returns as f64])
        });
        same(&rows, &["currency"], &["sales", "returns"], truth);
        for row in &rows {
            let at = |((month, currency), _): &(&(usize, &str), _)| {
                self.company.timeline().label(*month) == row.label && row.group["currency"] == *currency
            };
            let revenue = self.truth.revenue.iter().find(at).map(|(_, revenue)| *revenue).unwrap_or_default();
            let amounts = ["gross", "returns", "net"].map(|name| cents(&row.amounts[name]));
            assert_eq!(amounts, [revenue.gross, revenue.returned, revenue.gross + revenue.returned], "{row:?}");
        }

        let rows = self.rows("revenue", Granularity::Unspecified, &["category", "currency"], Vec::new()).await;
        let told: BTreeMap<_, _> = rows
            .iter()
            .map(|row| ((row.group["category"].as_str(), row.group["currency"].as_str()), cents(&row.amounts["net"])))
            .collect();
        assert_eq!(told, self.truth.categories.iter().map(|(of, cents)| (*of, *cents)).collect());

        let rows = self.rows("purchases", Granularity::Month, &[], Vec::new()).await;
        let truth = (0..MONTHS).map(|month| {
            let of_month = self.truth.revenue.iter().filter(|((of, _), _)| *of == month);
            let (sales, returns) = of_month.fold((0, 0), |sum, (_, r)| (sum.0 + r.sales, sum.1 + r.returns));
            (self.at(month, &[]), vec![sales as f64, returns as f64, self.truth.months[month].buyers as f64])
        });
        same(&rows, &[], &["sales", "returns", "customers"], truth);
    }

    async fn customers(&self) {
        let months = || self.truth.months.iter().enumerate();
        for (metric, counts) in [
            ("customers", &["customers"][..]),
            ("new_customers", &["customers"]),
            ("active_customers", &["active", "buyers"]),
            ("inactive_share", &["inactive", "buyers"]),
            ("churn_rate", &["active_at_start", "churned", "retained"]),
            ("retention_rate", &["active_at_start", "churned", "retained"]),
            ("repeat_purchase_rate", &["repeaters", "buyers"]),
        ] {
            let rows = self.rows(metric, Granularity::Month, &[], Vec::new()).await;
            let truth = months().map(|(month, of)| {
                let retained = of.active_at_start - of.churned;
                let counts = match metric {
                    "customers" => vec![of.customers],
                    "new_customers" => vec![of.new],
                    "active_customers" => vec![of.active_at_end, of.buyers],
                    "inactive_share" => vec![of.ever - of.active_at_end, of.ever],
                    "repeat_purchase_rate" => vec![of.repeaters, of.buyers],
                    _ => vec![of.active_at_start, of.churned, retained],
                };
                (self.at(month, &[]), counts.into_iter().map(|count| count as f64).collect())
            });
            same(&rows, &[], counts, truth);
        }
    }

    async fn cohorts(&self) {
        let rows = self.rows("cohort_retention", Granularity::Month, &[], Vec::new()).await;
        let truth = self.truth.cohorts.iter().map(|((first, since), active)| {
            let size = self.truth.cohorts[&(*first, 0)];
            let label = self.company.timeline().label(*first);
            (self.at(first + since, &[&label, &since.to_string()]), vec![*active as f64, size as f64])
        });
        // A cohort of which nobody bought has a row too, with its size.
        let rows: Vec<Row> = rows.into_iter().filter(|row| row.counts["active"] > 0.0).collect();
        same(&rows, &["cohort", "periods_since"], &["active", "cohort_size"], truth);
    }

    async fn complaints(&self) {
        let rows = self.rows("complaints_opened", Granularity::Month, &["category"], Vec::new()).await;
        let truth = self.truth.cases.iter().map(|((month, category), cases)| {
            let counts = vec![cases.opened as f64, cases.responses.len() as f64, cases.resolutions.len() as f64];
            (self.at(*month, &[category]), counts)
        });
        same(&rows, &["category"], &["opened", "responded", "resolved"], truth);

        let months = || (0..MONTHS).map(|month| (month, self.truth.cases_of(month)));
        let rows = self.rows("on_time_rate", Granularity::Month, &[], Vec::new()).await;
        // It is years after the end of time: what was not answered is late.
        let truth = months().map(|(month, cases)| {
            (self.at(month, &[]), vec![cases.in_time as f64, (cases.opened - cases.in_time) as f64])
        });
        same(&rows, &[], &["on_time", "late"], truth);

        for metric in ["time_to_first_response", "time_to_resolution"] {
            let of = |cases: Cases| if metric == "time_to_resolution" { cases.resolutions } else { cases.responses };
            let rows = self.rows(metric, Granularity::Month, &[], Vec::new()).await;
            assert_eq!(rows.len(), MONTHS);
            for (row, (_, cases)) in rows.iter().zip(months()) {
                let mut durations = of(cases);
                durations.sort_unstable();
                let mean = durations.iter().sum::<i64>() as f64 / durations.len() as f64;
                near(row.value, (!durations.is_empty()).then_some(mean / 1e6));
                for (name, share) in [("p50", 0.5), ("p90", 0.9), ("max", 1.0)] {
                    near(row.statistics.get(name).copied(), quantile(&durations, share));
                }
            }
        }
    }

    async fn loyalty(&self) {
        let lives: Vec<Life> = self.company.lives().collect();
        let timeline = self.company.timeline();
        let perks = || lives.iter().flat_map(|life| life.perks.iter().map(move |perk| (life, perk)));
        let count = |is: &dyn Fn(&Life, Given) -> bool, month: usize| {
            perks().filter(|(life, perk)| timeline.month(perk.at) == Some(month) && is(life, perk.what)).count() as f64
        };
        let rows = self.rows("enrolments", Granularity::Month, &[], Vec::new()).await;
        let joined = |month| count(&|_, what| what == Given::Join, month);
        same(&rows, &[], &["joined"], (0..MONTHS).map(|month| (self.at(month, &[]), vec![joined(month)])));

        let rows = self.rows("points_issued", Granularity::Month, &[], Vec::new()).await;
        let earned = |month| count(&|_, what| matches!(what, Given::Points(..)), month);
        same(&rows, &[], &["events"], (0..MONTHS).map(|month| (self.at(month, &[]), vec![earned(month)])));
        for row in rows {
            let of_month = |at| timeline.month(at).is_some_and(|month| timeline.label(month) == row.label);
            let points = perks().filter(|(_, perk)| of_month(perk.at));
            let points = points.map(|(_, perk)| if let Given::Points(earned, _) = perk.what { earned } else { 0 });
            near(row.value, Some(points.sum::<i64>() as f64));
        }

        let rows = self.rows("voucher_redemption_rate", Granularity::Month, &[], Vec::new()).await;
        let ends = |life: &Life, end: Given| life.perks.iter().any(|perk| perk.what == end);
        let granted = |is: &dyn Fn(&Life, usize) -> bool, month| {
            count(&|life, what| if let Given::Voucher(ordinal, _) = what { is(life, ordinal) } else { false }, month)
        };
        let truth = (0..MONTHS).map(|month| {
            let used = granted(&|life, ordinal| ends(life, Given::VoucherUsed(ordinal)), month);
            let lost = granted(&|life, ordinal| ends(life, Given::VoucherLost(ordinal)), month);
            (self.at(month, &[]), vec![granted(&|_, _| true, month), used, lost])
        });
        same(&rows, &[], &["granted", "redeemed", "expired"], truth);

        let rows = self.rows("enrolment_rate", Granularity::Month, &[], Vec::new()).await;
        let truth = (0..MONTHS).map(|month| {
            let end = timeline.bounds(month).end;
            let members = lives.iter().filter(|life| life.joined().is_some_and(|at| at < end)).count();
            (self.at(month, &[]), vec![members as f64, self.truth.months[month].customers as f64])
        });
        same(&rows, &[], &["members", "customers"], truth);

        let rows = self.rows("referrals", Granularity::Month, &[], Vec::new()).await;
        let truth = (0..MONTHS).map(|month| {
            let made = |referral: &Referral| match *referral {
                Referral::By(_, at) => (timeline.month(at) == Some(month)).then_some(true),
                Referral::InVain(at) => (timeline.month(at) == Some(month)).then_some(false),
            };
            let made: Vec<bool> = lives.iter().flat_map(|life| life.referrals.iter().filter_map(made)).collect();
            let joined = made.iter().filter(|joined| **joined).count();
            (self.at(month, &[]), vec![made.len() as f64, joined as f64])
        });
        same(&rows, &[], &["referrals", "joined"], truth);

        let rows = self.rows("points_liability", Granularity::Month, &["currency"], Vec::new()).await;
        assert!(rows.iter().any(|row| row.amounts["liability"].units > 0));
        for row in rows {
            let month = (0..MONTHS).find(|month| timeline.label(*month) == row.label).expect("a month");
            let before = perks().filter(|(_, perk)| perk.at < timeline.bounds(month).end);
            let owed =
                before.filter(|(life, _)| life.currency == row.group["currency"]).map(|(_, perk)| match perk.what {
                    Given::Join => 0,
                    Given::Points(points, _) => points,
                    Given::Redeemed(points) => -points,
                    Given::Voucher(..) => VOUCHER,
                    Given::VoucherUsed(_) | Given::VoucherLost(_) => -VOUCHER,
                });
            assert_eq!(cents(&row.amounts["liability"]), owed.sum::<i64>(), "{row:?}");
        }
    }

    async fn costs(&self) {
        let rows = self.rows("acquisition_cost", Granularity::Month, &[], Vec::new()).await;
        assert_eq!(rows.len(), MONTHS);
        let customers = i64::from(self.company.parameters().customers);
        let spent = customers * ADVERTISING.iter().map(|(_, cents)| cents).sum::<i64>();
        for (row, month) in rows.iter().zip(&self.truth.months) {
            assert_eq!((row.group["currency"].as_str(), cents(&row.amounts["total"])), ("EUR", spent));
            let value = (month.new > 0).then(|| spent as f64 / 100.0 / month.new as f64);
            near(row.value, value);
        }
        // However it is cut, nothing of it is lost.
        let rows = self.rows("acquisition_cost", Granularity::Week, &["channel"], Vec::new()).await;
        let weekly: i64 = rows.iter().map(|row| micros(&row.amounts["costs"])).sum();
        assert_eq!(weekly, spent * 10_000 * i64::try_from(MONTHS).expect("few"));
    }

    async fn rows(&self, metric: &str, granularity: Granularity, by: &[&str], filters: Vec<Filter>) -> Vec<Row> {
        let timeline = self.company.timeline();
        let request = QueryMetricsRequest {
            metrics: vec![metric.to_owned()],
            start_time: Some(rows::wire(timeline.start())),
            end_time: Some(rows::wire(timeline.until())),
            granularity: granularity.into(),
            group_by: by.iter().map(ToString::to_string).collect(),
            filters,
            at_least: self.positions.clone(),
            ..QueryMetricsRequest::default()
        };
        let answer = self.suite.metrics.clone().query_metrics(request).await.expect("figures").into_inner();
        answer.results.into_iter().next().expect("one metric was asked for").rows
    }

    fn at(&self, month: usize, group: &[&str]) -> (String, Vec<String>) {
        (self.company.timeline().label(month), group.iter().map(ToString::to_string).collect())
    }
}

fn at_all(group: &[&str]) -> (String, Vec<String>) {
    (String::new(), group.iter().map(ToString::to_string).collect())
}

fn only(dimension: &str, value: &str) -> Vec<Filter> {
    vec![Filter { dimension: dimension.to_owned(), values: vec![value.to_owned()], exclude: false }]
}

fn recommend(scores: &Scores) -> Vec<f64> {
    let (promoters, passives, detractors) = scores.recommend();
    [promoters, passives, detractors, scores.scored()].map(|count| count as f64).to_vec()
}

fn same(rows: &[Row], by: &[&str], counts: &[&str], truth: impl Iterator<Item = ((String, Vec<String>), Vec<f64>)>) {
    let told = rows.iter().map(|row| {
        let group = by.iter().map(|name| row.group[*name].clone()).collect();
        ((row.label.clone(), group), counts.iter().map(|name| row.counts[*name]).collect::<Vec<_>>())
    });
    let some = |(_, counts): &((String, Vec<String>), Vec<f64>)| counts.iter().any(|count| *count != 0.0);
    let (told, truth): (Counts, Counts) = (told.filter(some).collect(), truth.filter(some).collect());
    assert!(!truth.is_empty(), "nothing to compare: {counts:?}");
    assert_eq!(told, truth, "{counts:?} by {by:?}");
}

fn near(told: Option<f64>, truth: Option<f64>) {
    match (told, truth) {
        (Some(told), Some(truth)) => assert!((told - truth).abs() <= 1e-9 * truth.abs().max(1.0), "{told} {truth}"),
        (told, truth) => assert_eq!(told, truth),
    }
}

/// Seconds below which a share of sorted microseconds lies; linear between the two nearest.
fn quantile(sorted: &[i64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let below = (0..=last).rev().find(|index| *index as f64 <= share * last as f64)?;
    let rest = share * last as f64 - below as f64;
    let above = sorted[(below + 1).min(last)];
    Some((sorted[below] as f64 + rest * (above - sorted[below]) as f64) / 1e6)
}

fn micros(money: &Money) -> i64 {
    money.units * 1_000_000 + i64::from(money.nanos) / 1_000
}

fn cents(money: &Money) -> i64 {
    money.units * 100 + i64::from(money.nanos) / 10_000_000
}
