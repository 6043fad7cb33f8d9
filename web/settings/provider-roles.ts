import type { RoleName } from '#contract/rest/people.ts'

/** Role by value of a claim, one on each line: `operators = admin`. */
export function rolesText(roles: Readonly<Record<string, RoleName>>): string {
  return Object.entries(roles)
    .map(([value, role]) => `${value} = ${role}`)
    .join('\n')
}

/** Undefined when a line is none of these. */
export function rolesFrom(text: string): Record<string, RoleName> | undefined {
  const lines = text
    .split('\n')
    .map(line => line.trim())
    .filter(Boolean)
  const found = lines.map(line => /^(.+?)\s*=\s*(viewer|deployer|maintainer|admin)$/.exec(line))
  return found.includes(null)
    ? undefined
    : Object.fromEntries(found.map(each => [each?.[1] ?? '', each?.[2] as RoleName]))
}
