const LONGEST_SECONDS = 3600

type Headers = Readonly<Record<string, string | undefined>>

/**
 * For how many seconds a server asks to be left alone, at most an hour; undefined when it does not say. A date is
 * compared with the date of the answer itself, so that the two clocks need not agree.
 */
export function secondsToWait(headers: Headers): number | undefined {
  const seconds = afterText(headers) ?? untilReset(headers)
  return seconds === undefined || Number.isNaN(seconds)
    ? undefined
    : Math.min(Math.max(Math.ceil(seconds), 1), LONGEST_SECONDS)
}

function afterText({ 'retry-after': text, date }: Headers): number | undefined {
  if (text === undefined) {
    return undefined
  }
  return /^\d{1,9}$/.test(text) ? Number(text) : (Date.parse(text) - Date.parse(date ?? '')) / 1000
}

/** How GitHub, GitLab and Gitea say that a quota is used up. */
function untilReset(headers: Headers): number | undefined {
  const left = headers['x-ratelimit-remaining'] ?? headers['ratelimit-remaining']
  const reset = headers['x-ratelimit-reset'] ?? headers['ratelimit-reset']
  return left === '0' && reset !== undefined && /^\d{1,12}$/.test(reset)
    ? Number(reset) - Date.parse(headers.date ?? '') / 1000
    : undefined
}
