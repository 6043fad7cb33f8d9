import { Type } from 'typebox'

/** `<app>` or `<service>.<app>`: also the name in DNS. */
export const RouteName = Type.String({
  maxLength: 200,
  pattern: '^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?(\\.[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?){0,3}$',
})
