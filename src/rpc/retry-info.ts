import { BinaryWriter } from '@bufbuild/protobuf/wire'

/** The trailer that carries a serialized `google.rpc.Status`, as many gRPC libraries and proxies know it. */
export const statusDetailsTrailer = 'grpc-status-details-bin'
/** How long to wait before trying again, in milliseconds, as text: the retry policies of gRPC libraries heed it. */
export const retryTrailer = 'grpc-retry-pushback-ms'

/**
 * A serialized `google.rpc.Status` with one detail, a `google.rpc.RetryInfo`. Their fields are written here by number:
 * `Status` 1 code, 2 message, 3 details; `Any` 1 type_url, 2 value; `RetryInfo` 1 retry_delay; `Duration` 1 seconds,
 * 2 nanos.
 */
export function encodeRetryInfo(code: number, message: string, retryAfterMs: number): Uint8Array {
  const delay = new BinaryWriter()
  delay.uint32(8).int64(Math.floor(retryAfterMs / 1000))
  delay.uint32(16).int32((retryAfterMs % 1000) * 1_000_000)
  const info = new BinaryWriter().uint32(10).bytes(delay.finish())
  const any = new BinaryWriter().uint32(10).string('type.googleapis.com/google.rpc.RetryInfo')
  any.uint32(18).bytes(info.finish())
  return new BinaryWriter().uint32(8).int32(code).uint32(18).string(message).uint32(26).bytes(any.finish()).finish()
}
