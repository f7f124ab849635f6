//! What all recorded facts have in common: purchases, interactions, changes of attributes, subscriptions, answers.

use tonic::Code;

use crate::{
    table::{Edit, Rpc, Table, clear, copies, number, pair, text, texts},
    world::{DONE, NOBODY},
};

/// A kind of fact, and what there is of it.
pub(crate) struct Recorded {
    /// Its field in requests, e.g. `purchase`.
    pub(crate) field: &'static str,
    /// Its field for when it happened.
    pub(crate) time: &'static str,
    /// A request that records one.
    pub(crate) good: Vec<u8>,
    /// One with the key `k-1`, amended once.
    pub(crate) id: String,
    /// One that was withdrawn.
    pub(crate) withdrawn: String,
}

impl Recorded {
    /// `purchase.time` for `time`.
    pub(crate) fn of(&self, field: &str) -> String {
        format!("{}.{field}", self.field)
    }

    fn id_field(&self) -> String {
        format!("{}_id", self.field)
    }

    /// The cases of recording that every kind has.
    pub(crate) fn record(&self, rpc: &mut Rpc<'_>) {
        let of = |field: &str| self.of(field);
        let time = of(self.time);
        rpc.invalid("no message", vec![clear(self.field)], &[self.field])
            .invalid("garbage request id", vec![text("request_id", "x")], &["request_id"])
            .invalid("garbage customer", vec![text(&of("customer_id"), "c-1")], &[&of("customer_id")])
            .invalid("empty customer", vec![text(&of("customer_id"), "")], &[&of("customer_id")])
            .invalid("no time", vec![clear(&time)], &[&time])
            .invalid("time beyond 9999", vec![number(&format!("{time}.seconds"), 253_402_300_800)], &[&time])
            .invalid("time before 1", vec![number(&format!("{time}.seconds"), -62_135_596_801)], &[&time])
            .invalid("negative nanos", vec![number(&format!("{time}.nanos"), -1)], &[&time])
            .invalid("the future", vec![number(&format!("{time}.seconds"), 4_000_000_000)], &[&time]);
        for key in ["customer_key", "external_id"] {
            self.keys(rpc, &of(key));
        }
        self.dimensions(rpc);
        let everything = vec![
            text("request_id", "x"),
            text(&of("customer_id"), "x"),
            clear(&time),
            text(&of("external_id.value"), ""),
        ];
        let fields = ["request_id", &of("customer_id"), &time, &of("external_id.value")];
        rpc.invalid("several at once", everything, &fields);

        let other = || number(&format!("{time}.seconds"), 1_600_000_000);
        let used = vec![text(&of("external_id.system"), "shop"), text(&of("external_id.value"), "k-1"), other()];
        rpc.refused("a key with other values", used, Code::AlreadyExists, "KEY_REUSED");
        let again = vec![text("request_id", DONE), other()];
        rpc.refused("a request id with other values", again, Code::AlreadyExists, "REQUEST_ID_REUSED");
    }

    /// The cases of recording for a customer that must be there.
    pub(crate) fn record_of_customer(&self, rpc: &mut Rpc<'_>) {
        let field = self.of("customer_id");
        rpc.invalid("no customer", vec![clear(&field)], &[&field])
            .unknown("unknown customer", vec![text(&field, NOBODY)])
            .unknown("customer of zeros", vec![text(&field, "00000000-0000-0000-0000-000000000000")]);
    }

    pub(crate) fn keys(&self, rpc: &mut Rpc<'_>, key: &str) {
        let (system, value) = (&format!("{key}.system"), &format!("{key}.value"));
        rpc.invalid("a key without value", vec![text(system, "shop")], &[value])
            .invalid("a long key", vec![text(value, "k".repeat(257))], &[value])
            .invalid("a key's long system", vec![text(value, "k"), text(system, "s".repeat(65))], &[system])
            .invalid("a key with a control character", vec![text(value, "k\u{0}")], &[value])
            .invalid("a system with a control character", vec![text(value, "k"), text(system, "\u{7f}")], &[system]);
    }

    pub(crate) fn dimensions(&self, rpc: &mut Rpc<'_>) {
        let map = &self.of("dimensions");
        let key = |key: &str| format!("{map}.{key}");
        let many: Vec<Edit> = (0..17).map(|n| pair(map, &format!("d{n}"), "v")).collect();
        rpc.invalid("17 dimensions", many, &[map]);
        for bad in ["Region", "1st", "a-b", "", "tier"] {
            rpc.invalid("a dimension's name", vec![clear(map), pair(map, bad, "v")], &[&key(bad)]);
        }
        let long = "d".repeat(64);
        rpc.invalid("a dimension's long name", vec![clear(map), pair(map, &long, "v")], &[&key(&long)])
            .invalid("a dimension without value", vec![pair(map, "region", "")], &[&key("region")])
            .invalid("a dimension's long value", vec![pair(map, "region", &"v".repeat(129))], &[&key("region")])
            .invalid("a control character", vec![pair(map, "region", "\u{1b}")], &[&key("region")]);
    }

    pub(crate) fn get(&self, rpc: &mut Rpc<'_>) {
        let id = &self.id_field();
        rpc.invalid("nothing", vec![], &[id])
            .invalid("garbage id", vec![text(id, "1")], &[id])
            .invalid("empty id", vec![text(id, "")], &[id])
            .invalid("a key without value", vec![text("external_id.system", "shop")], &["external_id.value"])
            .unknown("unknown id", vec![text(id, NOBODY)])
            .unknown("unknown key", vec![text("external_id.value", "k-1")]);
    }

    pub(crate) fn list(&self, rpc: &mut Rpc<'_>) {
        pages(rpc);
        let several = vec![number("page_size", -1), text("page_token", "x"), text("customer_id", "x")];
        rpc.invalid("garbage customer", vec![text("customer_id", "c-1")], &["customer_id"])
            .invalid(
                "times",
                vec![number("start_time.nanos", -1), number("end_time.seconds", i64::MAX)],
                &["start_time", "end_time"],
            )
            .invalid(
                "backwards",
                vec![number("start_time.seconds", 9), number("end_time.seconds", 8), text("customer_id", "x")],
                &["start_time", "customer_id"],
            )
            .invalid("several at once", several, &["page_size", "page_token", "customer_id"])
            .answered("unknown customer", vec![text("customer_id", NOBODY)]);
    }

    pub(crate) fn amend(&self, rpc: &mut Rpc<'_>) {
        let of = |field: &str| self.of(field);
        let id = &of(&self.id_field());
        let named =
            |id_text: &str| vec![text(id, id_text), number(&format!("{}.seconds", of(self.time)), 1_600_000_000)];
        let with = |edits: Vec<Edit>| named(&self.id).into_iter().chain(edits).collect::<Vec<_>>();
        let paths = |paths: &[&str]| texts("update_mask.paths", paths);
        rpc.invalid("no message", vec![], &[self.field])
            .invalid("no id", vec![text(&of("etag"), "1")], &[id])
            .invalid("garbage id and request id", vec![text(id, "1"), text("request_id", "1")], &[id, "request_id"])
            .unknown("unknown id", named(NOBODY))
            .refused("a stale etag", with(vec![text(&of("etag"), "1")]), Code::Aborted, "STALE_ETAG")
            .refused("a garbage etag", with(vec![text(&of("etag"), "x")]), Code::Aborted, "STALE_ETAG")
            .refused("withdrawn", named(&self.withdrawn), Code::FailedPrecondition, "WITHDRAWN")
            .invalid(
                "what can not be amended",
                with(vec![paths(&[self.time, "external_id", "etag", "create_time"])]),
                &["update_mask.paths[1]", "update_mask.paths[2]", "update_mask.paths[3]"],
            )
            .invalid(
                "no field",
                with(vec![paths(&["nonsense", &format!("{}.seconds", self.time), ""])]),
                &["update_mask.paths[0]", "update_mask.paths[1]", "update_mask.paths[2]"],
            )
            .invalid("takes away what is required", vec![text(id, &self.id), paths(&[self.time])], &[&of(self.time)])
            .invalid(
                "values",
                with(vec![number(&format!("{}.nanos", of(self.time)), -1), text(&of("customer_id"), "x")]),
                &[&of(self.time), &of("customer_id")],
            )
            .invalid(
                "a key without value",
                with(vec![text(&of("customer_key.value"), "")]),
                &[&of("customer_key.value")],
            )
            .refused(
                "a request id with other values",
                with(vec![text("request_id", DONE)]),
                Code::AlreadyExists,
                "REQUEST_ID_REUSED",
            );
    }

    pub(crate) fn withdraw(&self, rpc: &mut Rpc<'_>) {
        let id = &self.id_field();
        rpc.invalid("nothing", vec![], &[id])
            .invalid("garbage", vec![text(id, "x"), text("request_id", "x")], &[id, "request_id"])
            .unknown("unknown id", vec![text(id, NOBODY)])
            .refused("a stale etag", vec![text(id, &self.id), text("etag", "1")], Code::Aborted, "STALE_ETAG")
            .refused("twice", vec![text(id, &self.withdrawn)], Code::FailedPrecondition, "WITHDRAWN")
            .refused(
                "a request id with other values",
                vec![text(id, &self.id), text("request_id", DONE)],
                Code::AlreadyExists,
                "REQUEST_ID_REUSED",
            );
    }

    /// All but recording, for a kind whose RPCs are called after `noun` and its `plural`.
    pub(crate) fn add_to(&self, table: &mut Table, noun: &str, plural: &str) {
        self.get(&mut table.rpc(&format!("Get{noun}"), &[]));
        self.list(&mut table.rpc(&format!("List{plural}"), &[]));
        self.amend(&mut table.rpc(&format!("Amend{noun}"), &[]));
        self.withdraw(&mut table.rpc(&format!("Withdraw{noun}"), &[]));
        batches(&mut table.rpc(&format!("Import{plural}"), &[]));
    }
}

/// Sizes and tokens of pages.
pub(crate) fn pages(rpc: &mut Rpc<'_>) {
    rpc.invalid("a negative page", vec![number("page_size", -1)], &["page_size"])
        .invalid("the most negative page", vec![number("page_size", i64::from(i32::MIN))], &["page_size"])
        .answered("a huge page", vec![number("page_size", i64::from(i32::MAX))]);
    for garbage in ["x", "AAAA", "%%%", "\u{0}", &"A".repeat(33), &"t".repeat(10_000)] {
        rpc.invalid("a garbage token", vec![text("page_token", garbage)], &["page_token"]);
    }
}

/// Batches of cases with their histories.
pub(crate) fn histories(rpc: &mut Rpc<'_>) {
    rpc.invalid("no histories", vec![], &["histories"]).invalid(
        "1,001 histories",
        vec![copies("histories", 1_001)],
        &["histories"],
    );
}

/// Batches of imports.
pub(crate) fn batches(rpc: &mut Rpc<'_>) {
    rpc.invalid("no rows", vec![], &["rows"]).invalid("1,001 rows", vec![copies("rows", 1_001)], &["rows"]);
}
