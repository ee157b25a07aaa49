// The name of the product, where GraphiQL has its own.
import mark from './favicon.svg';

export function Wordmark() {
  return (
    <span className="joblens-wordmark">
      <img src={mark} alt="" width="20" height="20" />
      Joblens
    </span>
  );
}
