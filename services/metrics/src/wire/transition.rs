//! Transitions and moves as messages.

use barometer_chassis::clock::Micros;
use barometer_proto::{metrics::v1 as wire, surveys::v1::SurveyType};
use barometer_statistics::transition::PairedTest;

use crate::{
    analysis::{
        answered::{CATEGORIES, Stood},
        moves::Move,
        transition::{Matrix, Moved},
    },
    rules::{period::Period, scale::NpsGroup},
};

/// Matrices.
pub(crate) fn transitions(matrices: Vec<Matrix>, freshness: Vec<wire::Freshness>) -> wire::QueryTransitionsResponse {
    wire::QueryTransitionsResponse { matrices: matrices.into_iter().map(matrix).collect(), freshness }
}

fn matrix(of: Matrix) -> wire::TransitionMatrix {
    let Matrix { group, before, after, told } = of;
    let named = wire::TransitionMatrix {
        group: group.into_iter().collect(),
        before: Some(period(before)),
        after: Some(period(after)),
        ..Default::default()
    };
    let Some(Moved { matrix, joined, lost }) = told else {
        return wire::TransitionMatrix { suppressed: true, ..named };
    };
    let (symmetry, homogeneity) = (matrix.symmetry(), matrix.homogeneity());
    let test_state = match (matrix.total(), symmetry) {
        (0, _) => wire::TestState::Nobody,
        (_, None) => wire::TestState::NobodyMoved,
        (_, Some(_)) => wire::TestState::Ok,
    };
    let pairs = (0..CATEGORIES.len()).flat_map(|from| (0..CATEGORIES.len()).map(move |to| (from, to)));
    let cells = pairs.map(|(from, to)| wire::TransitionCell {
        from: category(CATEGORIES[from]).into(),
        to: category(CATEGORIES[to]).into(),
        customers: count(matrix.count(from, to)),
        percent: matrix.share(from, to),
    });
    wire::TransitionMatrix {
        cells: cells.collect(),
        joined: Some(counts(joined)),
        lost: Some(counts(lost)),
        customers: count(matrix.total()),
        raised: count(matrix.raised()),
        kept: count(matrix.stayed()),
        lowered: count(matrix.lowered()),
        symmetry: symmetry.map(test),
        homogeneity: homogeneity.map(test),
        test_state: test_state.into(),
        ..named
    }
}

fn period(of: Period) -> wire::TransitionPeriod {
    let Period { start, end, label, partial } = of;
    let (start_time, end_time) = (Some(Micros(start).to_wire()), Some(Micros(end).to_wire()));
    wire::TransitionPeriod { start_time, end_time, label, partial }
}

fn counts([detractors, passives, promoters]: [u64; 3]) -> wire::CategoryCounts {
    wire::CategoryCounts { detractors: count(detractors), passives: count(passives), promoters: count(promoters) }
}

fn test(test: PairedTest) -> wire::PairedTest {
    let PairedTest { statistic, degrees_of_freedom, p_value } = test;
    let degrees_of_freedom = i32::try_from(degrees_of_freedom).unwrap_or(i32::MAX);
    wire::PairedTest { statistic, degrees_of_freedom, p_value }
}

/// A page of moves.
pub(crate) fn moves((moves, next_page_token): (Vec<Move>, String)) -> wire::ListCategoryMovesResponse {
    wire::ListCategoryMovesResponse { moves: moves.into_iter().map(one_move).collect(), next_page_token }
}

fn one_move(of: Move) -> wire::CategoryMove {
    let Move { customer, transactional, survey, from, to } = of;
    let Stood { category: from_category, score: from_score, at: from_at, number: _ } = from;
    let Stood { category: to_category, score, at, number } = to;
    wire::CategoryMove {
        customer_id: customer.to_string(),
        survey_type: survey_type(transactional).into(),
        survey,
        from: category(from_category).into(),
        from_score: from_score.into(),
        from_time: Some(Micros(from_at).to_wire()),
        to: category(to_category).into(),
        to_score: score.into(),
        time: Some(Micros(at).to_wire()),
        answer_number: number,
    }
}

/// A category.
pub(super) fn category(category: NpsGroup) -> wire::LoyaltyCategory {
    match category {
        NpsGroup::Detractor => wire::LoyaltyCategory::Detractor,
        NpsGroup::Passive => wire::LoyaltyCategory::Passive,
        NpsGroup::Promoter => wire::LoyaltyCategory::Promoter,
    }
}

/// A type of surveys.
pub(super) fn survey_type(transactional: bool) -> SurveyType {
    if transactional { SurveyType::Transactional } else { SurveyType::Relational }
}

/// A count.
pub(super) fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
