// The words of the sign-in, which both pages share.
import type { SignInTexts } from '../../shared/sign-in';
import { t } from './text';

export function signInTexts(): SignInTexts {
  return {
    token: t('signIn.token'),
    submit: t('signIn.submit'),
    hint: t('signIn.hint'),
    trouble: (trouble) =>
      typeof trouble === 'number'
        ? t('signIn.status', { status: String(trouble) })
        : t(`signIn.${trouble}`),
  };
}
