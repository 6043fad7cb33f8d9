import type { PlainPage } from '#lib/plain-page.ts'
import { type AskedVisit, CHOICES, isVisit, wishedPlace } from './gate-answer.ts'
import type { Answer } from './gate-waker.ts'

/** What a visitor gets instead of an app that does not answer; the first asks again by itself until it does. */
export const WAITING_PAGES: Readonly<Record<Exclude<Answer, 'awake'>, PlainPage>> = {
  waking: {
    title: 'Starting …',
    text: 'It was stopped because nobody used it. It takes a few seconds.',
    again: 1,
  },
  failing: {
    title: 'It does not stay up',
    text: 'It was started several times, and ended each time or did not answer. Whoever looks after it finds out why with "fairlead logs". In some minutes it is tried again.',
    again: 60,
  },
  gone: {
    title: 'It does not run',
    text: 'Nothing of it could be started. Whoever looks after it finds out why with "fairlead status".',
    again: 15,
  },
}

/** What somebody gets who may not pass. */
export function refusalPage(kind: 'open' | 'unknown' | 'foreign', login: string | undefined): PlainPage {
  const link = login === undefined ? undefined : { href: login, text: 'Open it through Fairlead' }
  if (kind === 'open') {
    const text = 'A link opens once, and for a few minutes. Ask for a new one.'
    return { title: 'This link has been used or is too old', text, link }
  }
  if (kind === 'foreign') {
    const text = 'Another site asked for this in your name, which is not allowed.'
    return { title: 'Not from another site', text }
  }
  const text =
    'Whoever may open it gets a link: on a command line with "fairlead open", then the name of the app.'
  return { title: 'This is not open to everybody', text, link }
}

/** What somebody gets who opens a page while the version of before is kept for them. */
export function choicePage(asked: AskedVisit): PlainPage {
  const to = new URLSearchParams({ to: wishedPlace(asked) })
  return {
    title: 'There is a newer version',
    text: 'The one that you opened before runs on, with all that it computes, until nobody works with it. Pages of it that you have open go on with the version that you choose here.',
    link: { href: `${asked.base}${CHOICES.move}?${to}`, text: 'Open the new version' },
    other: { href: `${asked.base}${CHOICES.stay}?${to}`, text: 'Stay with the version of before' },
  }
}

/** Remembers the page that somebody wanted to see. */
export function loginFor(login: string, asked: AskedVisit): string {
  const to = isVisit(asked) ? wishedPlace(asked) : '/'
  return to === '/' ? login : `${login}?${new URLSearchParams({ to })}`
}
