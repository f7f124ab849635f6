//! Calls by hand: any bytes to any method.

use barometer_proto::{complaints, customers, surveys};
use bytes::{Buf, BufMut};
use tonic::{
    Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::{Service, http},
    transport::Channel,
};

/// Sends messages, and gives the answers; a watch is left after its first one.
pub async fn call(channel: Channel, path: &str, messages: Vec<Vec<u8>>) -> Result<Vec<Vec<u8>>, Status> {
    let mut received = Vec::new();
    let is_last = |answer: Vec<u8>| {
        received.push(answer);
        path.contains("/Watch")
    };
    stream(channel, path, messages, is_last).await?;
    Ok(received)
}

/// Sends a request and gives all bytes of the answers, until one is the last.
pub async fn watch(
    channel: Channel,
    path: &str,
    request: Vec<u8>,
    is_last: impl Fn(&[u8]) -> bool,
) -> Result<Vec<u8>, Status> {
    let mut received = Vec::new();
    let is_last = |answer: Vec<u8>| {
        received.extend_from_slice(&answer);
        is_last(&answer)
    };
    stream(channel, path, vec![request], is_last).await?;
    Ok(received)
}

async fn stream(
    channel: Channel,
    path: &str,
    messages: Vec<Vec<u8>>,
    mut is_last: impl FnMut(Vec<u8>) -> bool,
) -> Result<(), Status> {
    let mut grpc = Grpc::new(channel);
    grpc.ready().await.expect("a connection");
    let uri: http::uri::PathAndQuery = path.parse().expect("a path");
    let mut answers = grpc.streaming(Request::new(tokio_stream::iter(messages)), uri, Bytes).await?.into_inner();
    while let Some(answer) = answers.message().await? {
        if is_last(answer) {
            break;
        }
    }
    Ok(())
}

/// Sends the body of a request as it is, frames and all.
pub async fn post(mut channel: Channel, endpoint: &str, path: &str, body: String) -> Result<(), Status> {
    let request = http::Request::post(format!("{endpoint}{path}"))
        .header(http::header::CONTENT_TYPE, "application/grpc")
        .header(http::header::TE, "trailers")
        .body(tonic::body::Body::new(body))
        .expect("a request");
    std::future::poll_fn(|context| channel.poll_ready(context)).await.expect("a connection");
    let answer = channel.call(request).await.expect("an answer");
    let in_headers = Status::from_header_map(answer.headers());
    let status = match in_headers {
        Some(status) => Some(status),
        None => {
            let mut body = answer.into_body();
            loop {
                let frame =
                    std::future::poll_fn(|context| http_body::Body::poll_frame(std::pin::Pin::new(&mut body), context));
                match frame.await.transpose()?.map(http_body::Frame::into_trailers) {
                    Some(Ok(trailers)) => break Status::from_header_map(&trailers),
                    Some(Err(_data)) => {}
                    None => break None,
                }
            }
        }
    };
    match status {
        Some(status) if status.code() != tonic::Code::Ok => Err(status),
        _ => Ok(()),
    }
}

/// The whole feed of customers.
pub fn customers_from_start() -> customers::v1::WatchFactsRequest {
    customers::v1::WatchFactsRequest::default()
}

/// The whole feed of surveys.
pub fn surveys_from_start() -> surveys::v1::WatchFactsRequest {
    surveys::v1::WatchFactsRequest::default()
}

/// The whole feed of complaints.
pub fn complaints_from_start() -> complaints::v1::WatchFactsRequest {
    complaints::v1::WatchFactsRequest::default()
}

/// Messages as they are.
#[derive(Clone, Copy)]
struct Bytes;

impl Codec for Bytes {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Bytes;
    type Decoder = Bytes;

    fn encoder(&mut self) -> Bytes {
        Bytes
    }

    fn decoder(&mut self) -> Bytes {
        Bytes
    }
}

impl Encoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, message: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&message);
        Ok(())
    }
}

impl Decoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let mut message = vec![0; buffer.remaining()];
        buffer.copy_to_slice(&mut message);
        Ok(Some(message))
    }
}
