/** Versions of Python that a recipe may ask for, oldest first. */
export const PYTHONS = ['3.8', '3.9', '3.10', '3.11', '3.12', '3.13', '3.14']
/** The newest patch of each version of R, newest first. */
const R_PATCHES: Readonly<Record<string, string>> = {
  '4.6': '4.6.1',
  '4.5': '4.5.1',
  '4.4': '4.4.2',
  '4.3': '4.3.3',
  '4.2': '4.2.3',
  '4.1': '4.1.3',
  '4.0': '4.0.5',
  '3.6': '3.6.3',
  '3.5': '3.5.3',
  '3.4': '3.4.4',
  '3.3': '3.3.3',
}
/** The version of R where none is asked for. */
export const R_DEFAULT = '4.4.2'
/** Versions of Julia, oldest first; a `[compat]` condition takes the newest that fits. */
export const JULIAS = [
  ...['1.0.5', '1.3.0', '1.3.1', '1.6.7', '1.7.3'],
  ...['1.8.5', '1.9.4', '1.10.5', '1.11.6', '1.12.1'],
]

/** `4.3` is `4.3.3`; a whole version stays; undefined when it is no version of R. */
export function wholeRVersion(version: string): string | undefined {
  const known = Object.hasOwn(R_PATCHES, version) ? R_PATCHES[version] : undefined
  return known ?? (/^\d+\.\d+\.\d+$/.test(version) ? version : undefined)
}
