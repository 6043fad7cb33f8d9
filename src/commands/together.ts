/** Like Promise.all, except that a failure is thrown only when none of them works any more, so that nothing works on behind the back of whoever mends it. */
export async function together<T extends readonly unknown[]>(
  work: readonly [...{ [K in keyof T]: Promise<T[K]> }],
): Promise<T> {
  await Promise.allSettled(work)
  return (await Promise.all(work)) as unknown as T
}
