//! The RPCs of services that do nothing but keep recorded facts, which are alike but for their messages.

/// Implements a gRPC service over the kinds of facts that it keeps: of each its `Model`, how a list's request becomes a page
/// and a filter, and the names of its six RPCs with their messages.
macro_rules! serve_recorded {
    ($Service:ident: $(
        $module:ident, $field:ident, $plural:ident, $filter:ident,
        $record:ident $Record:ident $Wire:ident,
        $import:ident $Import:ident $Stream:ident $Imported:ident $Row:ident,
        $get:ident $Get:ident $by:ident $Id:ident,
        $list:ident $List:ident $Listed:ident,
        $amend:ident $Amend:ident, $withdraw:ident $Withdraw:ident $id:ident;
    )*) => {
        #[tonic::async_trait]
        impl $Service for Customers {$(
            async fn $record(&self, request: Request<wire::$Record>) -> Result<Response<wire::$Wire>, Status> {
                let actor = Principal::of(&request);
                let wire::$Record { $field, request_id } = request.into_inner();
                let method = concat!("Record", stringify!($Wire));
                Ok(Response::new(self.record::<$module::Model>(method, &actor, $field, &request_id).await?))
            }

            type $Stream = Acknowledgements<wire::$Imported>;

            async fn $import(
                &self,
                request: Request<Streaming<wire::$Import>>,
            ) -> Result<Response<Self::$Stream>, Status> {
                let parts = |wire::$Row { row, $field }| (row, $field);
                let rows = move |batch: wire::$Import| batch.rows.into_iter().map(parts).collect();
                let answer = |Batch { recorded, unchanged, rejected, position }| wire::$Imported {
                    recorded,
                    unchanged,
                    rejected,
                    position,
                };
                let method = concat!("Import", stringify!($Wire), "s");
                Ok(self.import::<$module::Model, _, _>(method, request, rows, answer))
            }

            async fn $get(&self, request: Request<wire::$Get>) -> Result<Response<wire::$Wire>, Status> {
                let by = request.into_inner().by.map(|by| match by {
                    wire::$by::By::$Id(id) => By::Id(id),
                    wire::$by::By::ExternalId(key) => By::Key(key),
                });
                Ok(Response::new(self.get::<$module::Model>(by).await?))
            }

            async fn $list(&self, request: Request<wire::$List>) -> Result<Response<wire::$Listed>, Status> {
                let (page, filter) = Door::open(|door| $filter(door, request.into_inner()))?;
                let ($plural, next_page_token) = self.list::<$module::Model>(page, filter).await?;
                Ok(Response::new(wire::$Listed { $plural, next_page_token }))
            }

            async fn $amend(&self, request: Request<wire::$Amend>) -> Result<Response<wire::$Wire>, Status> {
                let actor = Principal::of(&request);
                let mut request = request.into_inner();
                let request_id = std::mem::take(&mut request.request_id);
                let fingerprint = fingerprint::of_message(&request);
                let patch = (request.$field, request.update_mask);
                let method = concat!("Amend", stringify!($Wire));
                let amended = self.amend::<$module::Model>(method, &actor, patch, &request_id, fingerprint);
                Ok(Response::new(amended.await?))
            }

            async fn $withdraw(&self, request: Request<wire::$Withdraw>) -> Result<Response<wire::$Wire>, Status> {
                let actor = Principal::of(&request);
                let wire::$Withdraw { $id, etag, request_id } = request.into_inner();
                let method = concat!("Withdraw", stringify!($Wire));
                let withdrawn = self.withdraw::<$module::Model>(method, &actor, &$id, etag, &request_id);
                Ok(Response::new(withdrawn.await?))
            }
        )*}
    };
}
pub(super) use serve_recorded;
