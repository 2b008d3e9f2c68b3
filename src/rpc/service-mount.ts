import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js'

/** A service and what carries it out. */
export interface ServiceMount {
  readonly definition: ServiceDefinition
  readonly implementation: UntypedServiceImplementation
}

/** The full name of a service, for example `twofold.v1.Storage`. */
export function serviceName(definition: ServiceDefinition): string {
  return Object.values(definition)[0]?.path.split('/')[1] ?? ''
}
