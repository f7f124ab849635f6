//! How alike the scores of channels are.

use barometer_chassis::error::Error;
use barometer_statistics::consistency::{Channel, Consistency};

use crate::{
    columns::dictionary::EMPTY,
    measures::surveys::answers::tell,
    query::{
        Ask,
        figures::{Figure, Grid, Measured, plain, real},
        scan::{Way, scan_blocks},
    },
    rules::scale::{NpsGroup, Scale},
};

/// The spread of the scores of channels beyond what chance would spread; answers without a channel are in no count.
pub(crate) fn channel_consistency(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let responses = &ask.facts.responses;
    let channels = responses.channel.codes();
    // By code of the channel.
    let mut grid = Grid::<Vec<[u64; 3]>>::new(ask.periods.len());
    let cutter = scan_blocks(ask, Way::Answers(ask.metric.scale), |cells, rows| {
        for (cell, row_of) in cells.iter().zip(rows) {
            let row = *row_of as usize;
            let group = Scale::Nps.score(i64::from(responses.scores[row])).and_then(|score| score.nps_group());
            let channel = channels.get(row).copied().filter(|channel| *channel != EMPTY);
            let (Some(group), Some(channel)) = (group, channel) else { continue };
            let of_cell = grid.at(*cell);
            let channel = channel as usize;
            if channel >= of_cell.len() {
                of_cell.resize(channel + 1, [0; 3]);
            }
            of_cell[channel][side(group)] += 1;
            tell(ask, *row_of, &[("answers", 1.0)]);
        }
    })?;
    Ok(ask.figures(&cutter, &grid, |counts| measure(ask, counts)))
}

fn side(group: NpsGroup) -> usize {
    match group {
        NpsGroup::Promoter => 0,
        NpsGroup::Passive => 1,
        NpsGroup::Detractor => 2,
    }
}

fn measure(ask: &Ask<'_>, counts: &[[u64; 3]]) -> Measured {
    let mut counts: Vec<_> = counts.iter().filter(|counts| counts.iter().sum::<u64>() > 0).copied().collect();
    // Codes follow the order of arrival, and sums their order.
    counts.sort_unstable();
    let answers = counts.iter().flatten().sum();
    let channels: Vec<_> = counts.iter().map(|counts| Channel::of_nps(counts.map(real))).collect();
    let of = Consistency::of(&channels);
    let level = ask.query.parameters.level;
    let interval =
        of.and_then(|of| of.interval(level)).map(|interval| (interval.times(100.0).within(0.0, 100.0), level));
    Measured {
        value: of.map(|of| 100.0 * of.spread()),
        counts: plain([("channels", counts.len() as u64), ("answers", answers)]),
        statistics: of.map(|of| ("found", 100.0 * of.found())).into_iter().collect(),
        interval,
        ..Measured::default()
    }
}
