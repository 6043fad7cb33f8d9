import { posix } from 'node:path'
import { trimEnd } from '#lib/trim-end.ts'
import type { Report } from './finding.ts'
import type { PolicyMode } from './mode.ts'

/** What the owner of a host allows; part of the worker's own policy file. */
export interface HostRules {
  readonly mode: PolicyMode
  /** Host ports that may be published. */
  readonly ports: { readonly from: number; readonly to: number; readonly never: readonly number[] }
  /** Registry hosts whose images may run; empty means any. */
  readonly registries: readonly string[]
}

/** What Fairlead knows of a project besides its files. */
export interface ProjectFacts {
  readonly name: string
  /** Services that the proxy reaches, each with its container port. */
  readonly routes: readonly { readonly service: string; readonly port: number }[]
  /** Names of the variables that are given to Compose. */
  readonly variables: readonly string[]
  /** Sockets of the engines, and the keys that others are reached with: never mounted. */
  readonly sockets: readonly string[]
  /** Names of images without a registry that were built on this engine by Fairlead: no registry is asked for them. */
  readonly ownImages?: readonly string[]
  /** It is a stack of a swarm, where a port can be published on the machines of its tasks only. */
  readonly isStack?: true
}

/** What every rule may use. */
export interface RuleContext {
  readonly report: Report
  readonly rules: HostRules
  readonly project: ProjectFacts
  /** The path inside the checkout ('' is its root) that a written path means; undefined when it is outside. */
  readonly inCheckout: (path: string) => string | undefined
}

/** For files as written: relative paths start at a folder of the checkout. */
export function pathsFrom(folder: string): RuleContext['inCheckout'] {
  return path => {
    if (path.startsWith('/') || path.startsWith('~') || isRemote(path)) {
      return undefined
    }
    return inside(posix.normalize(posix.join(folder, path)))
  }
}

/** For Compose's own JSON: paths are absolute. */
export function pathsBelow(root: string): RuleContext['inCheckout'] {
  return path => (path.startsWith('/') ? inside(posix.relative(root, posix.normalize(path))) : undefined)
}

/**
 * Code or content from elsewhere: a URL, a Git remote, an OCI artifact, a plug-in's scheme. Compose and BuildKit take
 * `github.com/…` for a Git remote even where a folder of that name exists.
 */
export function isRemote(path: string): boolean {
  return /^[^/]*:/.test(path) || path.startsWith('//') || /^github\.com\//i.test(path)
}

/** A relative path that climbs out; an absolute one names its place openly. */
export function isEscape(path: string): boolean {
  return !path.startsWith('/') && !path.startsWith('~')
}

function inside(path: string): string | undefined {
  const clean = trimEnd(path, '/')
  if (clean === '..' || clean.startsWith('../') || clean === '.git' || clean.startsWith('.git/')) {
    return undefined
  }
  return clean === '.' ? '' : clean
}
