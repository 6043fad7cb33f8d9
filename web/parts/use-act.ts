import { useToast } from '@nuxt/ui/composables/useToast'
import { ref } from 'vue'
import { asApiError } from '#web/api/use-query.ts'

/** Does something that was clicked: which one is at work, and a message with the hint when it fails. */
export function useAct() {
  const toast = useToast()
  const busy = ref<string>()

  async function act<T>(name: string, work: () => Promise<T>): Promise<T | undefined> {
    if (busy.value !== undefined) {
      return undefined
    }
    busy.value = name
    try {
      return await work()
    } catch (thrown) {
      const { message, hint } = asApiError(thrown)
      toast.add({
        title: message,
        description: hint,
        color: 'error',
        icon: 'i-lucide-circle-alert',
        duration: 12_000,
      })
      return undefined
    } finally {
      busy.value = undefined
    }
  }

  function done(title: string): void {
    toast.add({ title, color: 'success', icon: 'i-lucide-circle-check', duration: 4000 })
  }

  return { busy, act, done }
}
