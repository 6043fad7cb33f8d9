import { isShape, listOf, type Shape, scalarText, shapeOf } from './shape.ts'

/**
 * A file as written, in the long forms that Compose's own JSON has, so that the same rules read both.
 * Values with `${…}` are left out (null): what they become is only known after interpolation, which is checked too.
 */
export function longForms(model: Shape): Shape {
  return {
    ...withoutInterpolation(model),
    include: listOf(model.include).map(entry => (isShape(entry) ? entry : { path: entry })),
    services: mapValues(shapeOf(model.services), service => longService(shapeOf(service))),
  }
}

/** Does Compose put something else in its place? `$$` is a plain dollar sign. */
export function isInterpolated(text: string): boolean {
  return text.replaceAll('$$', '').includes('$')
}

function longService(service: Shape): Shape {
  const plain = withoutInterpolation(service)
  const long: Record<string, (value: unknown) => unknown> = {
    // What Compose reads while it renders keeps its `${…}`: such a path cannot be checked beforehand.
    extends: () => (isShape(service.extends) ? service.extends : { service: service.extends }),
    env_file: () => asList(service.env_file).map(entry => (isShape(entry) ? entry : { path: entry })),
    label_file: () => asList(service.label_file),
    build: value => (isShape(value) ? value : { context: value }),
    ports: value => listOf(value).flatMap(entry => (isShape(entry) ? [entry] : longPorts(entry))),
    volumes: value => listOf(value).map(entry => (isShape(entry) ? entry : longVolume(entry))),
    networks: value => (isShape(value) ? value : fromList(value)),
    secrets: value => listOf(value).map(entry => (isShape(entry) ? entry : { source: entry })),
    configs: value => listOf(value).map(entry => (isShape(entry) ? entry : { source: entry })),
  }
  return Object.fromEntries(
    Object.entries(plain).map(([key, value]) => [key, Object.hasOwn(long, key) ? long[key]?.(value) : value]),
  )
}

function withoutInterpolation(value: Shape): Shape
function withoutInterpolation(value: unknown): unknown
function withoutInterpolation(value: unknown): unknown {
  if (typeof value === 'string') {
    return isInterpolated(value) ? null : value.replaceAll('$$', '$')
  }
  if (Array.isArray(value)) {
    return value.map(item => withoutInterpolation(item))
  }
  return isShape(value) ? mapValues(value, item => withoutInterpolation(item)) : value
}

/** `SOURCE:TARGET[:FLAGS]`, `TARGET`. */
function longVolume(entry: unknown): Shape {
  const parts = (scalarText(entry) ?? '').split(':')
  if (parts.length < 2) {
    return { type: 'volume', target: parts[0] }
  }
  const [source = '', target, flags = ''] = parts
  const words = flags.split(',')
  const propagation = words.find(word => /^r?(?:shared|slave|private)$/.test(word))
  return {
    type: /^[./~\\]/.test(source) ? 'bind' : 'volume',
    source,
    target,
    ...(words.includes('ro') ? { read_only: true } : {}),
    ...(propagation ? { bind: { propagation } } : {}),
  }
}

/** `[[ADDRESS:]PUBLISHED:]TARGET[/PROTOCOL]`; equal ranges on both sides become one entry per port. */
function longPorts(entry: unknown): Shape[] {
  const match = /^(?:(?:(\[[^\]]*\]|[^:[\]]*):)?([\d-]*):)?([\d-]+)(?:\/(\w+))?$/.exec(
    scalarText(entry) ?? '',
  )
  if (!match) {
    return [{}]
  }
  const [, hostIp, published = '', target = '', protocol = 'tcp'] = match
  const [from, to] = rangeOf(published)
  const [targetFrom, targetTo] = rangeOf(target)
  const common = { protocol, ...(hostIp ? { host_ip: hostIp } : {}) }
  if (published === '') {
    return [{ ...common, target: targetFrom }]
  }
  if (to - from !== targetTo - targetFrom || to - from > 100) {
    return [{ ...common, target: targetFrom, published }]
  }
  return Array.from({ length: to - from + 1 }, (_, index) => ({
    ...common,
    target: targetFrom + index,
    published: String(from + index),
  }))
}

function rangeOf(text: string): readonly [number, number] {
  const [from = '', to = from] = text.split('-')
  return [Number(from), Number(to)]
}

function asList(value: unknown): readonly unknown[] {
  return value === null || value === undefined ? [] : Array.isArray(value) ? value : [value]
}

function fromList(value: unknown): Shape {
  return Object.fromEntries(listOf(value).flatMap(item => (typeof item === 'string' ? [[item, null]] : [])))
}

function mapValues(shape: Shape, change: (value: unknown) => unknown): Shape {
  return Object.fromEntries(Object.entries(shape).map(([key, value]) => [key, change(value)]))
}
