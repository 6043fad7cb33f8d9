import { Type } from 'typebox'

const PATTERN = '^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?(\\.[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?){0,3}$'

/** `<app>` or `<service>.<app>`: also the name in DNS. */
export const RouteName = Type.String({ maxLength: 200, pattern: PATTERN })

export function isRouteName(text: string): boolean {
  return text.length <= 200 && new RegExp(PATTERN).test(text)
}
