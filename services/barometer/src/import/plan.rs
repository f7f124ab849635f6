//! What becomes of each column: the flags, checked against the header of the file.

use barometer_chassis::door::Door;
use clap::Args;
use csv::{ByteRecord, StringRecord};
use jiff::tz::TimeZone;

use super::field::{Field, Kind, Rule};
use super::value::Problem;
use crate::failure::{DATA, Failure, USAGE};
use crate::instant;

/// Flags that say what becomes of the columns.
#[derive(Debug, Clone, Args)]
pub(crate) struct Mapping {
    /// Takes a field from a column; repeat it for each field
    #[arg(long = "map", value_name = "FIELD=COLUMN", value_parser = assignment)]
    maps: Vec<(String, String)>,

    /// Takes every other field that has a column of its own name from that column
    #[arg(long)]
    map_by_name: bool,

    /// Gives a field the same value in every row; repeat it for each field
    #[arg(long = "set", value_name = "FIELD=VALUE", value_parser = assignment)]
    sets: Vec<(String, String)>,

    /// Makes a column a dimension that figures can be grouped by; repeat it for each. Without a name it is called like
    /// the column, in lower case. A built-in field of that name, as `language`, is used for it. Empty cells give none
    #[arg(long = "dimension", value_name = "[NAME=]COLUMN")]
    dimensions: Vec<String>,

    /// Name of the system that the file comes from: part of the keys of its rows, so give exports that go by different
    /// file names the same source [default: the file's name]
    #[arg(long, value_name = "NAME")]
    source: Option<String>,

    /// Name of the system that the customers' keys come from, the same for all files that name customers alike
    #[arg(long, default_value = "default", value_name = "NAME")]
    customer_system: String,

    /// Time zone of dates and times in the file that have no offset
    #[arg(long, default_value = "UTC", value_name = "ZONE", value_parser = instant::time_zone)]
    time_zone: TimeZone,
}

/// What becomes of each column.
#[derive(Debug)]
pub(crate) struct Plan {
    /// What the rows are.
    pub(crate) kind: Kind,
    /// Where the value of each field of the kind comes from.
    sources: Vec<Source>,
    /// Dimensions by name, and the columns that they are in.
    pub(crate) dimensions: Vec<(String, usize)>,
    /// How many fields a row has.
    width: usize,
    /// System of the rows' own keys.
    pub(crate) source: String,
    /// System of the customers' keys.
    pub(crate) customer_system: String,
    /// Zone of local times.
    pub(crate) time_zone: TimeZone,
    /// What the user should know about how the flags were understood.
    pub(crate) remarks: Vec<String>,
}

/// Where the value of a field comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    None,
    Column(usize),
    Value(String),
}

impl Plan {
    /// Checks the flags against the header of the file called `file_name`.
    ///
    /// # Errors
    /// When anything is wrong: everything that is, in one failure.
    pub(crate) fn new(kind: Kind, mapping: &Mapping, header: &StringRecord, file_name: &str) -> Result<Self, Failure> {
        let mut draft = Draft::new(kind, header);
        for (name, column) in &mapping.maps {
            draft.map(name, column);
        }
        for (name, value) in &mapping.sets {
            draft.set(name, value, &mapping.time_zone);
        }
        for dimension in &mapping.dimensions {
            draft.dimension(dimension);
        }
        if mapping.map_by_name {
            draft.map_by_name();
        }
        draft.check_missing();
        let source = mapping.source.as_deref().unwrap_or(file_name);
        draft.check_system("--source (the file's name by default)", source);
        draft.check_system("--customer-system", &mapping.customer_system);
        draft.finish()?;
        let Draft { sources, dimensions, remarks, .. } = draft;
        Ok(Self {
            kind,
            sources,
            dimensions,
            width: header.len(),
            source: source.to_owned(),
            customer_system: mapping.customer_system.clone(),
            time_zone: mapping.time_zone.clone(),
            remarks,
        })
    }

    /// The field of this name, and its value in a record; empty when it has none.
    pub(crate) fn value<'a>(&'a self, name: &str, record: &'a StringRecord) -> (&'static Field, &'a str) {
        let fields = self.kind.fields();
        let index = fields.iter().position(|field| field.name == name);
        debug_assert!(index.is_some(), "{name} is no field of {:?}", self.kind);
        let index = index.unwrap_or_default();
        let value = match &self.sources[index] {
            Source::None => "",
            Source::Column(column) => record.get(*column).unwrap_or_default(),
            Source::Value(value) => value,
        };
        (&fields[index], value)
    }

    /// The bytes of a field in a record that may be no text; none when the record is too short for it.
    pub(crate) fn bytes<'a>(&'a self, name: &str, record: &'a ByteRecord) -> Option<&'a [u8]> {
        match &self.sources[self.kind.field(name)?] {
            Source::None => None,
            Source::Column(column) => record.get(*column),
            Source::Value(value) => Some(value.as_bytes()),
        }
    }

    /// Whether a record has as many fields as the header.
    pub(crate) fn check_width(&self, has: usize) -> Result<(), Problem> {
        let width = self.width;
        if has == width {
            return Ok(());
        }
        Err(Problem::new("WRONG_LENGTH", format!("has {has} fields, the header has {width}")))
    }

    /// The value that a field has in every row, if one was set.
    pub(crate) fn constant(&self, name: &str) -> Option<&str> {
        match &self.sources[self.kind.field(name)?] {
            Source::Value(value) => Some(value),
            _ => None,
        }
    }
}

/// A plan that is being made, with all that is wrong with it.
struct Draft<'a> {
    kind: Kind,
    header: &'a StringRecord,
    sources: Vec<Source>,
    dimensions: Vec<(String, usize)>,
    remarks: Vec<String>,
    wrong_flags: Vec<String>,
    wrong_columns: Vec<String>,
}

impl<'a> Draft<'a> {
    fn new(kind: Kind, header: &'a StringRecord) -> Self {
        Self {
            kind,
            header,
            sources: vec![Source::None; kind.fields().len()],
            dimensions: Vec::new(),
            remarks: Vec::new(),
            wrong_flags: Vec::new(),
            wrong_columns: Vec::new(),
        }
    }

    fn map(&mut self, name: &str, column: &str) {
        let column = self.column(column);
        let Some(index) = self.free_field(name) else { return };
        if self.kind.fields()[index].rule == Rule::Constant {
            self.wrong_flags.push(format!("{name} is the same for the whole file: use --set {name}=VALUE"));
        }
        // A column that is not there was noted; the field is not missing as well.
        self.sources[index] = Source::Column(column.unwrap_or_default());
    }

    /// Fields that nothing was said of, from the columns of their names.
    fn map_by_name(&mut self) {
        for (index, field) in self.kind.fields().iter().enumerate() {
            let free = self.sources[index] == Source::None && field.rule != Rule::Constant;
            if free && self.header.iter().any(|column| column == field.name) {
                self.sources[index] = Source::Column(self.column(field.name).unwrap_or_default());
            }
        }
    }

    fn set(&mut self, name: &str, value: &str, zone: &TimeZone) {
        let Some(index) = self.free_field(name) else { return };
        let field = &self.kind.fields()[index];
        if let Err(problem) = field.shape.check(value, zone) {
            self.wrong_flags.push(format!("--set {name}: {}", problem.description));
        }
        if field.rule == Rule::Required && value.is_empty() {
            self.wrong_flags.push(format!("--set {name}: is required"));
        }
        self.sources[index] = Source::Value(value.to_owned());
    }

    /// The field of this name, unless it has a value already.
    fn free_field(&mut self, name: &str) -> Option<usize> {
        let Some(index) = self.kind.field(name) else {
            let names: Vec<_> = self.kind.fields().iter().map(|field| field.name).collect();
            let kind = self.kind.name();
            self.wrong_flags.push(format!("{kind} have no field {name:?}, but {}", names.join(", ")));
            return None;
        };
        if self.sources[index] != Source::None {
            self.wrong_flags.push(format!("{name} is given twice"));
            return None;
        }
        Some(index)
    }

    fn dimension(&mut self, flag: &str) {
        let is_column = self.header.iter().any(|column| column == flag);
        let (name, column) = match flag.split_once('=') {
            Some((name, column)) if !is_column => (name.to_owned(), column),
            _ => (dimension_name(flag), flag),
        };
        let Some(column) = self.column(column) else { return };
        let built_in = self.kind.field(&name).filter(|index| self.kind.fields()[*index].groups);
        if let Some(index) = built_in {
            if self.free_field(&name).is_some() {
                self.sources[index] = Source::Column(column);
                self.remarks.push(format!("{name} is a field of {}: the column is used for it", self.kind.name()));
            }
        } else if let Err(error) = Door::open(|door| door.dimension_key("--dimension", &name)) {
            self.wrong_flags.push(format!("{error}; choose another, as in --dimension NAME={}", &self.header[column]));
        } else if self.dimensions.iter().any(|(other, _)| *other == name) {
            self.wrong_flags.push(format!("dimension {name} is given twice"));
        } else {
            self.dimensions.push((name, column));
        }
    }

    /// The place of a column, if there is exactly one of that name.
    fn column(&mut self, name: &str) -> Option<usize> {
        let mut places = self.header.iter().enumerate().filter(|(_, column)| *column == name);
        let place = places.next().map(|(place, _)| place);
        let problem = match (place, places.next()) {
            (Some(place), None) => return Some(place),
            (Some(_), Some(_)) => format!("column {name:?} is there more than once"),
            (None, _) => format!("there is no column {name:?}"),
        };
        if !self.wrong_columns.contains(&problem) {
            self.wrong_columns.push(problem);
        }
        None
    }

    fn check_missing(&mut self) {
        let fields = self.kind.fields();
        let is_given = |name: &str| self.kind.field(name).is_some_and(|index| self.sources[index] != Source::None);
        let is_missing = |field: &&Field| {
            !is_given(field.name)
                && match field.rule {
                    Rule::Required | Rule::Named => true,
                    Rule::With(other) => is_given(other),
                    Rule::Optional | Rule::Constant => false,
                }
        };
        let missing: Vec<_> = fields.iter().filter(is_missing).map(|field| field.name).collect();
        if !missing.is_empty() {
            self.wrong_flags.push(format!("{} must be given by --map or --set", missing.join(", ")));
        }
        if self.dimensions.len() > MAX_DIMENSIONS {
            self.wrong_flags.push(format!("there are {} dimensions, at most 16 can be kept", self.dimensions.len()));
        }
    }

    fn check_system(&mut self, what: &str, system: &str) {
        if !(1..=MAX_SYSTEM).contains(&system.chars().count()) {
            self.wrong_flags.push(format!("{what} must have 1 to {MAX_SYSTEM} characters, not {system:?}"));
        }
    }

    fn finish(&self) -> Result<(), Failure> {
        let wrong: Vec<&str> = self.wrong_flags.iter().chain(&self.wrong_columns).map(String::as_str).collect();
        if wrong.is_empty() {
            return Ok(());
        }
        let columns: Vec<&str> = self.header.iter().collect();
        let message = format!("{}; the columns are {}", wrong.join("; "), columns.join(", "));
        Err(Failure::new(if self.wrong_flags.is_empty() { DATA } else { USAGE }, message))
    }
}

/// Most dimensions of a fact.
const MAX_DIMENSIONS: usize = 16;
/// Longest name of a system.
const MAX_SYSTEM: usize = 64;

/// The name of the dimension in a column: lower case, with `_` for what a name can not hold.
fn dimension_name(column: &str) -> String {
    let legal = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '_' };
    column.to_lowercase().chars().map(legal).collect()
}

fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((field, value)) if !field.is_empty() => Ok((field.to_owned(), value.to_owned())),
        _ => Err("expected FIELD=…".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        mapping: Mapping,
    }

    fn plan(kind: Kind, flags: &str) -> Result<Plan, Failure> {
        let flags = std::iter::once("x").chain(flags.split_whitespace());
        let mapping = Cli::try_parse_from(flags).expect("flags parse").mapping;
        let header =
            StringRecord::from(vec!["id", "Date", "score", "language", "Boarding Area", "twice", "twice", "a=b"]);
        Plan::new(kind, &mapping, &header, "file.csv")
    }

    const GOOD: &str = "--map time=Date --map score=score --set survey=SFO";

    #[test]
    fn fields_come_from_columns_and_values() {
        let plan = plan(Kind::Responses, &format!("{GOOD} --dimension a=b --dimension area=id")).expect("a plan");
        let record = StringRecord::from(vec!["7", "2017-05-13", "9", "en", "G", "", "", "z"]);
        assert_eq!(plan.value("score", &record).1, "9");
        assert_eq!(plan.value("survey", &record).1, "SFO");
        assert_eq!(plan.value("comment", &record).1, "");
        assert_eq!(plan.dimensions, [("a_b".to_owned(), 7), ("area".to_owned(), 0)]);
        assert_eq!((plan.source.as_str(), plan.customer_system.as_str()), ("file.csv", "default"));
        assert_eq!(plan.constant("survey"), Some("SFO"));
    }

    #[test]
    fn fields_come_from_columns_of_their_names_unless_something_else_was_said() {
        let flags = "--map time=Date --set score=7 --set survey=SFO --map-by-name";
        let by_name = plan(Kind::Responses, flags).expect("a plan");
        let source = |field: &str| by_name.sources[by_name.kind.field(field).expect("a field")].clone();
        assert_eq!((source("language"), source("score")), (Source::Column(3), Source::Value("7".to_owned())));
        assert_eq!(source("comment"), Source::None);
    }

    #[test]
    fn a_dimension_that_is_built_in_is_used_as_the_field() {
        let plan = plan(Kind::Responses, &format!("{GOOD} --dimension language")).expect("a plan");
        assert_eq!(plan.sources[plan.kind.field("language").expect("a field")], Source::Column(3));
        assert!(plan.dimensions.is_empty());
        assert_eq!(plan.remarks, ["language is a field of responses: the column is used for it"]);
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let flags =
            "--map tme=Date --map comment=words --map weight=twice --dimension score --set score=x --map kind=id";
        let failure = plan(Kind::Responses, flags).expect_err("nothing is right");
        assert_eq!(failure.exit_code(), USAGE);
        let told = failure.to_string();
        for part in [
            "responses have no field \"tme\", but survey, score,",
            "there is no column \"words\"",
            "column \"twice\" is there more than once",
            "`score` is the name of a built-in dimension; choose another, as in --dimension NAME=score",
            "--set score: \"x\" is not a whole number",
            "kind is the same for the whole file",
            "survey, time must be given by --map or --set",
            "the columns are id, Date, score,",
        ] {
            assert!(told.contains(part), "{part:?} is not in {told}");
        }
    }

    #[test]
    fn columns_that_are_not_there_are_the_files_fault_and_money_needs_a_currency() {
        let failure = plan(Kind::Responses, &format!("{GOOD} --map comment=words")).expect_err("no such column");
        assert_eq!(failure.exit_code(), DATA);
        let good = "--map customer=id --map time=Date --set channel=web --set direction=inbound";
        assert!(plan(Kind::Interactions, good).is_ok());
        let failure = plan(Kind::Interactions, &format!("{good} --map cost=score")).expect_err("no currency");
        assert!(failure.to_string().starts_with("currency must be given"), "{failure}");
    }

    #[test]
    fn names_of_dimensions_are_made_of_columns() {
        assert_eq!(dimension_name("Boarding Area"), "boarding_area");
        assert_eq!(dimension_name("Größe-2"), "gr__e_2");
    }
}
