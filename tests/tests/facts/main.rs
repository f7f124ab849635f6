//! What every kind of recorded fact can do: purchases, interactions, changes of attributes, subscriptions, memberships,
//! referrals, costs, answers, invitations, cases.

mod feed;
mod importing;
mod kind;
mod lists;
mod particular;
mod privacy;
mod recording;
mod repeating;

/// Runs a test for each kind on each database.
macro_rules! for_each_kind {
    ($($test:ident: $of:ident;)*) => {$(
        crate::for_kinds! { $test: $of; barometer_proto::complaints::v1::Case }
    )*};
}
pub(crate) use for_each_kind;

/// Runs a test for each kind that may be moved to another instant, which cases may not.
macro_rules! for_each_movable_kind {
    ($($test:ident: $of:ident;)*) => {$(
        crate::for_kinds! { $test: $of; }
    )*};
}
pub(crate) use for_each_movable_kind;

macro_rules! for_kinds {
    ($test:ident: $of:ident; $($more:ty)?) => {
        #[tokio::test]
        async fn $test() {
            barometer_chassis::testing::on_each_database(async |database| {
                let services = barometer_tests::services::Services::start(database).await;
                let world = crate::kind::World::new(&services).await;
                // Together, as they would come: they share customers and nothing else.
                tokio::join!(
                    $of::<barometer_proto::customers::v1::AttributeChange>(&services, &world),
                    $of::<barometer_proto::customers::v1::Purchase>(&services, &world),
                    $of::<barometer_proto::customers::v1::Interaction>(&services, &world),
                    $of::<barometer_proto::customers::v1::SubscriptionEvent>(&services, &world),
                    $of::<barometer_proto::customers::v1::MembershipEvent>(&services, &world),
                    $of::<barometer_proto::customers::v1::Referral>(&services, &world),
                    $of::<barometer_proto::customers::v1::Cost>(&services, &world),
                    $of::<barometer_proto::surveys::v1::Response>(&services, &world),
                    $of::<barometer_proto::surveys::v1::Invitation>(&services, &world),
                    $($of::<$more>(&services, &world),)?
                );
                services.stop().await;
            })
            .await;
        }
    };
}
pub(crate) use for_kinds;
