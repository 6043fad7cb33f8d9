import { isIP } from 'node:net'
import { isPrivateAddress } from '#lib/private-address.ts'
import type { Diagnostic } from './diagnostic.ts'

export interface Place {
  readonly file: string
  readonly line?: number
}

const ASK = 'Use a public https address, or have the administrator allow this one.'

/**
 * What a builder must not fetch from because a repository says so: addresses of its own network, unprotected ones, its
 * own files and its SSH keys, and passwords that would stay in the image. Undefined when there is nothing to say.
 */
export function sourceFinding(
  written: string,
  place: Place,
  allowed: readonly string[] = [],
): Diagnostic | undefined {
  if (allowed.some(start => isBelow(written.replace(/^git\+/, ''), start))) {
    return undefined
  }
  const finding = (code: string, message: string, hint = ASK): Diagnostic => ({
    code,
    message,
    hint,
    ...place,
  })
  const shown = JSON.stringify(withoutPassword(written).slice(0, 120))
  if (/^(?:git\+)?ssh:|^(?:git\+)?[\w.-]+@[\w.-]+:/i.test(written)) {
    return finding('SOURCE_SSH', `${shown} needs an SSH key of the builder.`, 'Use a public https address.')
  }
  const [, scheme = '', rest = ''] = /^(?:\w+\+)?([a-z][a-z0-9]*):(?:\/\/)?(.*)$/is.exec(written) ?? []
  if (scheme.toLowerCase() === 'file' || /^[/~\\]|^[A-Za-z]:\\/.test(written)) {
    return finding(
      'SOURCE_HOST_FILES',
      `${shown} names files of the builder.`,
      'Commit the files to the repository.',
    )
  }
  if (scheme === '') {
    return undefined
  }
  const [, login, host = ''] = /^(?:([^/?#]*)@)?(\[[^\]]*\]|[^/:?#]*)/.exec(rest) ?? []
  if (scheme.toLowerCase() !== 'https') {
    return finding('SOURCE_UNPROTECTED', `${shown} is not fetched over https.`)
  }
  if (isInside(host)) {
    return finding('SOURCE_PRIVATE', `${shown} is an address inside the builder's network.`)
  }
  if (login !== undefined && login !== 'git') {
    return finding(
      'SOURCE_PASSWORD',
      `${shown} holds a password, which would stay in the image.`,
      'Remove it from the repository and replace it where it is valid.',
    )
  }
  return undefined
}

/** `https://host` allows `https://host/simple`, and not `https://host.example.org`. */
function isBelow(address: string, start: string): boolean {
  return address === start || address.startsWith(start.endsWith('/') ? start : `${start}/`)
}

/** Names that only an own network knows, and addresses of one. */
function isInside(host: string): boolean {
  const name = host
    .replace(/^\[|\]$/g, '')
    .toLowerCase()
    .replace(/\.$/, '')
  return isIP(name) > 0 || /^[\d.]+$|^0x/.test(name)
    ? isPrivateAddress(name)
    : !name.includes('.') ||
        /\.(?:local|localhost|localdomain|internal|intranet|lan|home|corp|arpa)$/.test(name)
}

function withoutPassword(address: string): string {
  return address.replace(/\/\/[^/@]*@/, '//***@')
}
