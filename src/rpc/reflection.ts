import type { Server } from '@grpc/grpc-js'
import { ReflectionService } from '@grpc/reflection'
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import { descriptorSet } from '../gen/descriptors.ts'

/** The serialized `FileDescriptorProto`s of a serialized `FileDescriptorSet`. */
export function splitDescriptorSet(set: Uint8Array): Buffer[] {
  const reader = new BinaryReader(set)
  const files: Buffer[] = []
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag()
    if (field === 1 && type === WireType.LengthDelimited) files.push(Buffer.from(reader.bytes()))
    else reader.skip(type, field)
  }
  return files
}

/**
 * Server reflection, v1 and v1alpha, for `services` (full names). What the library builds from a loaded package loses
 * imports, so that strict clients cannot call anything; it is given the compiler's own descriptors instead.
 */
export function addReflection(server: Server, services: readonly string[]): void {
  const fileDescriptorProtos = splitDescriptorSet(Buffer.from(descriptorSet, 'base64'))
  const all = { format: 'Protocol Buffer 3 DescriptorProto', type: {}, fileDescriptorProtos }
  new ReflectionService({ all } as ConstructorParameters<typeof ReflectionService>[0], {
    services: [...services],
  }).addToServer(server)
}
