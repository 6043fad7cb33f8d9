/** Why a step of a build failed that installs what a project asks for. */
export interface InstallerFailure {
  /** On one line: `pip: no matching distribution for numpyy`. */
  readonly message: string
  /** What a file of the project may ask for by this name. */
  readonly name?: string
}

interface Rule {
  readonly said: RegExp
  /** Of what the pattern caught. */
  readonly failure: (caught: string) => InstallerFailure
}

/** The first that fits any line decides: causes before what follows from them. */
const RULES: readonly Rule[] = [
  {
    said: /^ERROR: No matching distribution found for (\S.*)$/,
    failure: asked => ({ message: `pip: no matching distribution for ${asked}`, name: nameIn(asked) }),
  },
  {
    said: /^ERROR: Cannot install (.+) because these package versions have conflicting dependencies/,
    failure: asked => ({ message: `pip: these contradict each other: ${asked}`, name: nameIn(asked) }),
  },
  {
    said: /^ERROR: (?:Could not build wheels|Failed building wheel|Failed to build installable wheels) for ([A-Za-z0-9._-]+)/,
    failure: asked => ({ message: `pip: ${asked} could not be built`, name: nameIn(asked) }),
  },
  {
    said: /^ERROR: Invalid requirement: (.+)$/,
    failure: asked => ({ message: `pip: invalid requirement ${asked}` }),
  },
  {
    said: /(?:^|[\s│├└─]+)([A-Za-z0-9_.-]+)(?: +\S+){0,4} +does not exist \(perhaps a typo or a missing channel\)/,
    failure: asked => ({ message: `conda: no package ${asked} in its channels`, name: asked }),
  },
  {
    said: /nothing provides(?: requested)? ([A-Za-z0-9_.-]+)/,
    failure: asked => ({ message: `conda: no package ${asked} in its channels`, name: asked }),
  },
  {
    said: /^\W*Because ([A-Za-z0-9._-]+) was not found in the package registry/,
    failure: asked => ({ message: `uv: no package ${asked} in its index`, name: asked }),
  },
  {
    said: /^\W*(?:error: )?(?:The lockfile at .* needs to be updated)/,
    failure: () => ({ message: 'uv: uv.lock does not fit pyproject.toml: lock again', name: 'uv.lock' }),
  },
  {
    said: /^E: (?:Unable to locate package |Package '|Couldn't find any package by \w+ ')([a-z0-9][a-z0-9.+-]*)/,
    failure: asked => ({ message: `apt: no package ${asked}`, name: asked }),
  },
  {
    said: /^E: Version '[^']*' for '([^']+)' was not found/,
    failure: asked => ({ message: `apt: no such version of ${asked}`, name: asked }),
  },
  {
    said: /package [‘'"]([A-Za-z0-9.]+)[’'"] is not available/,
    failure: asked => ({ message: `R: no package ${asked}`, name: asked }),
  },
  {
    said: /there is no package called [‘'"]([A-Za-z0-9.]+)[’'"]/,
    failure: asked => ({ message: `R: no package ${asked}`, name: asked }),
  },
  {
    said: /expected package `?([A-Za-z0-9_]+)(?: \[[0-9a-f]+\])?`? to be registered/,
    failure: asked => ({ message: `Julia: no package ${asked} in its registry`, name: asked }),
  },
]

/** Without an answer from an index, that a package is not found says nothing of the package. */
const UNREACHED = /after connection broken by|Failed to establish a new connection|Temporary failure in name/

/** What installers say, in the last lines of the step that failed; undefined when none of it is known. Pure. */
export function installerFailure(lines: readonly string[]): InstallerFailure | undefined {
  for (const { said, failure } of RULES) {
    const caught = lines.map(line => said.exec(line.trim())).find(each => each !== null)
    if (caught) {
      const found = failure(caught[1] ?? '')
      const isLonely = lines.some(line => UNREACHED.test(line))
      return isLonely ? { ...found, message: `${found.message}; an index did not answer` } : found
    }
  }
  return condaMissing(lines)
}

/** `PackagesNotFoundError: …`, and then a list. */
function condaMissing(lines: readonly string[]): InstallerFailure | undefined {
  const at = lines.findIndex(line => /PackagesNotFoundError|ResolvePackageNotFound/.test(line))
  const [, asked] =
    lines
      .slice(Math.max(at, 0))
      .map(line => /^\s*- ([A-Za-z0-9_.:-]+)/.exec(line))
      .find(each => at >= 0 && each !== null) ?? []
  const name = nameIn(asked?.split('::').at(-1) ?? '')
  return name === '' ? undefined : { message: `conda: no package ${name} in its channels`, name }
}

/** Of `numpy[extra]>=1.2`. */
function nameIn(requirement: string): string {
  return /^[A-Za-z0-9][A-Za-z0-9._-]*/.exec(requirement.trim())?.[0]?.replace(/[._-]+$/, '') ?? ''
}

/** The first line that names it, from 1, without what stands behind a `#`; undefined when none does. */
export function lineNaming(text: string, name: string): number | undefined {
  const own = name.split(/[-_.]+/).map(part => part.replaceAll(/[^A-Za-z0-9]/g, each => `\\${each}`))
  const named = new RegExp(`(?<![A-Za-z0-9._-])${own.join('[-_.]+')}(?![A-Za-z0-9_-]|\\.[A-Za-z0-9])`, 'i')
  const at = text.split(/\r\n|\r|\n/).findIndex(line => named.test(line.replace(/(?:^|\s)#.*$/, '')))
  return name === '' || at < 0 ? undefined : at + 1
}
