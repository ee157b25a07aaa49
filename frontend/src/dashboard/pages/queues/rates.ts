// Figures of some minutes as so many a minute.
import { language } from '../../text/text';

const rates = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
const small = new Intl.NumberFormat(language, { maximumFractionDigits: 2 });

export function perMinute(count: number, minutes: number): string {
  const rate = count / minutes;
  return (rate < 1 ? small : rates).format(rate);
}
