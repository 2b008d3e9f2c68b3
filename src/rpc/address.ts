import { TwofoldError } from '../core/errors.ts'

export interface Address {
  /** Without brackets. */
  readonly host: string
  readonly port: number
}

const pattern = /^(?:\[([0-9a-fA-F:.]+(?:%[A-Za-z0-9_.-]+)?)\]|([A-Za-z0-9_.-]+)):(\d{1,5})$/

/** @throws `invalid-argument` unless `text` is `host:port`, an IPv6 host in brackets. */
export function parseAddress(text: string): Address {
  const match = pattern.exec(text)
  const port = Number(match?.[3])
  if (match === null || port > 65_535) {
    throw new TwofoldError(
      'invalid-argument',
      `"${text.slice(0, 200)}" is not an address; write host:port, for example 127.0.0.1:7400`,
    )
  }
  return { host: match[1] ?? match[2] ?? '', port }
}

export function formatAddress(address: Address): string {
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}

/** Whether only processes of the same machine can connect to it. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)
}
