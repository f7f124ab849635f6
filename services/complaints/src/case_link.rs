//! The case link: how two cases belong together. Its rules know neither the wire nor the database.

use std::collections::BTreeSet;

use barometer_chassis::{clock::Micros, error::Error};
use barometer_proto::complaints::v1::LinkType;
use sea_orm::entity::prelude::*;

use crate::case_entry::CaseId;

/// The most links of a case, counted at both ends.
pub const MAX_LINKS: usize = 100;
/// The most cases that may hang together by links of one type.
pub const MAX_REACHED: usize = 1_000;

/// A link's row: `case_id` is a duplicate of, or caused by, `other_case_id`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "case_link")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The duplicate, or the effect.
    pub case_id: CaseId,
    /// The original, or the cause.
    pub other_case_id: CaseId,
    /// [`LinkType::DuplicateOf`] or [`LinkType::CausedBy`].
    #[sea_orm(column_name = "type")]
    pub link_type: i32,
    /// Who made it.
    pub actor: String,
    /// When it was made.
    pub create_time: Micros,
}

/// Nothing: rows of this service refer to one another by id only.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A link as it is kept: from the duplicate to the original, from the effect to the cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The duplicate, or the effect.
    pub from: CaseId,
    /// [`LinkType::DuplicateOf`] or [`LinkType::CausedBy`].
    pub kind: LinkType,
    /// The original, or the cause.
    pub to: CaseId,
}

impl Link {
    /// The link by which `case` is a `kind` to `other`.
    pub fn new(case: CaseId, kind: LinkType, other: CaseId) -> Self {
        match kind {
            LinkType::HasDuplicate | LinkType::CauseOf => Link { from: other, kind: inverse(kind), to: case },
            _ => Link { from: case, kind, to: other },
        }
    }

    /// Whether the link may be made. `originals` are the cases that its `from` is a duplicate of already; `reached` those
    /// to which links of this kind lead from its `to`, itself included.
    pub fn check(&self, originals: &[CaseId], reached: &BTreeSet<CaseId>) -> Result<(), Error> {
        let refused = |reason, message: String| Err(Error::State { reason, message });
        if self.kind == LinkType::DuplicateOf
            && let Some(original) = originals.first()
        {
            return refused(
                "DUPLICATE_ALREADY",
                format!("the case {} is a duplicate of {original} already", self.from),
            );
        }
        if reached.contains(&self.from) {
            return refused("LINK_CYCLE", format!("links lead from the case {} to {} already", self.to, self.from));
        }
        if reached.len() > MAX_REACHED {
            return refused("TOO_MANY_LINKS", format!("more than {MAX_REACHED} cases hang together by these links"));
        }
        Ok(())
    }
}

/// The same link, seen from its other end.
pub fn inverse(kind: LinkType) -> LinkType {
    match kind {
        LinkType::Unspecified => LinkType::Unspecified,
        LinkType::DuplicateOf => LinkType::HasDuplicate,
        LinkType::HasDuplicate => LinkType::DuplicateOf,
        LinkType::CausedBy => LinkType::CauseOf,
        LinkType::CauseOf => LinkType::CausedBy,
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn case(number: u8) -> CaseId {
        CaseId(Uuid::from_u128(u128::from(number)))
    }

    /// Where links lead from a case, found plainly.
    fn reached(links: &[Link], from: CaseId) -> BTreeSet<CaseId> {
        let mut reached = BTreeSet::from([from]);
        loop {
            let more: Vec<_> = links.iter().filter(|l| reached.contains(&l.from)).map(|l| l.to).collect();
            let before = reached.len();
            reached.extend(more);
            if reached.len() == before {
                return reached;
            }
        }
    }

    #[test]
    fn a_link_is_the_same_from_either_end() {
        for kind in [LinkType::DuplicateOf, LinkType::HasDuplicate, LinkType::CausedBy, LinkType::CauseOf] {
            assert_eq!(inverse(inverse(kind)), kind);
            assert_eq!(Link::new(case(1), kind, case(2)), Link::new(case(2), inverse(kind), case(1)));
        }
        assert_eq!(Link::new(case(1), LinkType::CauseOf, case(2)).from, case(2));
    }

    #[test]
    fn a_duplicate_has_one_original_and_an_effect_many_causes() {
        let to = BTreeSet::from([case(2)]);
        let check = |kind| Link::new(case(1), kind, case(2)).check(&[case(3)], &to);
        assert!(matches!(check(LinkType::DuplicateOf), Err(Error::State { reason: "DUPLICATE_ALREADY", .. })));
        assert!(check(LinkType::CausedBy).is_ok());
        let many = (0..=MAX_REACHED).map(|n| CaseId(Uuid::from_u128(1_000 + n as u128))).collect();
        let refused = Link::new(case(1), LinkType::CausedBy, case(2)).check(&[], &many);
        assert!(matches!(refused, Err(Error::State { reason: "TOO_MANY_LINKS", .. })));
    }

    proptest! {
        #[test]
        fn nothing_is_ever_its_own_cause(tries in vec((0_u8..8, 0_u8..8), 0..40)) {
            let mut links: Vec<Link> = Vec::new();
            for (from, to) in tries {
                let link = Link::new(case(from), LinkType::CausedBy, case(to));
                let closes = reached(&links, link.to).contains(&link.from);
                let checked = link.check(&[], &reached(&links, link.to));
                prop_assert_eq!(checked.is_err(), closes);
                if checked.is_ok() {
                    links.push(link);
                }
            }
            for link in &links {
                prop_assert!(!reached(&links, link.to).contains(&link.from));
            }
        }
    }
}
