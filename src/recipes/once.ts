/** The result of the first call for every later one; what throws is called again. */
export function once<T>(read: () => T): () => T {
  let result: { readonly value: T } | undefined
  return () => {
    result ??= { value: read() }
    return result.value
  }
}
