/** Whether a line of a requirements file needs files of the project, by the rule of repo2docker. */
export function isLocalRequirement(written: string): boolean {
  const line = (written.split('#')[0] ?? '').trim()
  if (line === '' || line.startsWith('--pre')) {
    return false
  }
  if (/^(?:-[rc]|--requirement|--constraint)/.test(line)) {
    return true
  }
  const value = writtenValue(line)
  if (value === undefined) {
    return false
  }
  return value.includes('file://') || value.slice(afterScheme(value)).startsWith('.')
}

/** What stands behind the option of a line; the line itself when it has none. */
function writtenValue(line: string): string | undefined {
  const value = line.startsWith('--') && line.includes('=') ? line.slice(line.indexOf('=') + 1) : line
  return value.startsWith('-') ? /^\S+\s+(.+)$/s.exec(value)?.[1] : value
}

function afterScheme(value: string): number {
  const scheme = value.indexOf('://')
  return scheme < 0 ? 0 : scheme + 3
}
