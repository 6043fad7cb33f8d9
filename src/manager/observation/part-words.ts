import type { FindingKind } from './drift.ts'

export interface PartDifference {
  readonly kind: FindingKind
  /** Goes on from the name of a container. */
  readonly words: string
}

/** Says in words that one part of a container's configuration is another one now; undefined stands for not there. */
export function differenceIn(part: string, was: string | undefined, now: string | undefined): PartDifference {
  const [group = '', ...rest] = part.split(':')
  const name = rest.join(':')
  switch (group) {
    case 'name':
      return { kind: 'renamed', words: `is the container that was called ${was}` }
    case 'image':
      return { kind: 'image', words: `runs the image ${short(now)} and not ${short(was)}` }
    case 'label':
      return { kind: 'label', words: how(`the label "${name}"`, was, now) }
    case 'environment':
      return { kind: 'environment', words: how(`the environment variable ${name}`, was, now) }
    case 'mount':
      return { kind: 'mount', words: how(`the mount at ${name}`, was, now) }
    case 'port':
      return { kind: 'port', words: how(`the published port ${name}`, was, now) }
    case 'network':
      return { kind: 'network', words: networkWords(name, was, now) }
    case 'file':
      return {
        kind: 'file',
        words: `mounts a file at ${name.slice(name.indexOf(':') + 1)} that was edited on the host`,
      }
    default:
      return { kind: 'settings', words: how(`"${part.replaceAll('-', ' ')}"`, was, now) }
  }
}

function networkWords(name: string, was: string | undefined, now: string | undefined): string {
  if (now === undefined) {
    return `left the network ${name}`
  }
  return was === undefined
    ? `joined the network ${name}`
    : `is known in the network ${name} as ${now || 'nothing else'} and not as ${was || 'nothing else'}`
}

function how(what: string, was: string | undefined, now: string | undefined): string {
  if (was === undefined) {
    return `has ${what}, which the release has not`
  }
  if (now === undefined) {
    return `has lost ${what}`
  }
  const isSecret = was.startsWith('~') || now.startsWith('~')
  return isSecret || was === '' || now === ''
    ? `has another value for ${what}`
    : `has ${now} for ${what} and not ${was}`
}

function short(imageId: string | undefined): string {
  return (imageId ?? 'none').replace(/^sha256:/, '').slice(0, 12)
}
