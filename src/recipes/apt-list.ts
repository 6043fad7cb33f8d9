import type { Diagnostic } from './diagnostic.ts'

/** A name as Debian allows it, with an architecture, a version or a release; anchored at both ends. A `-` at the end would remove it. */
const PACKAGE = /^[a-z0-9][a-z0-9.+-]*[a-z0-9.+](?::[a-z0-9]+)?(?:=[A-Za-z0-9.+:~-]+)?(?:\/[a-z0-9-]+)?$/

/** The packages of apt.txt, sorted, each once; a finding for every line that is none. */
export function readAptList(
  text: string,
  file: string,
): { readonly packages: readonly string[]; readonly findings: readonly Diagnostic[] } {
  const packages = new Set<string>()
  const findings: Diagnostic[] = []
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const names = (line.split('#')[0] ?? '').split(/\s+/).filter(each => each !== '')
    if (names.every(name => PACKAGE.test(name))) {
      for (const name of names) {
        packages.add(name)
      }
    } else {
      findings.push({
        code: 'APT',
        file,
        line: index + 1,
        message: `${JSON.stringify(names.join(' ').slice(0, 60))} is no name of a package.`,
        hint: 'Write names of Debian packages, one per line: jq or jq=1.6-2.1.',
      })
    }
  }
  return { packages: [...packages].sort(), findings }
}
