"""Irregular English forms, which a stemmer does not reduce to their base.

Only forms that hardly mean anything else: another word (`left`, `bases`, `lives`), a name (`drew`, `rose`) or a
separate term (`data`, `media`) is left out.
"""

# A base, then its forms.
_TABLE = """
    arise arose arisen
    beat beaten
    become became
    begin began begun
    blow blew blown
    break broke broken
    bring brought
    build built
    buy bought
    catch caught
    choose chose chosen
    come came
    deal dealt
    drive drove driven
    eat ate eaten
    fall fell fallen
    feel felt
    fight fought
    find found
    fly flew flown
    forbid forbade forbidden
    foresee foresaw foreseen
    forget forgot forgotten
    forgive forgave forgiven
    freeze froze frozen
    get got gotten
    give gave given
    go went gone
    grow grew grown
    hang hung
    hear heard
    hide hid hidden
    hold held
    keep kept
    know knew known
    lay laid
    lead led
    learn learnt
    lend lent
    lose lost
    make made
    mean meant
    meet met
    mistake mistook mistaken
    misunderstand misunderstood
    overcome overcame
    oversee oversaw overseen
    overpay overpaid
    pay paid
    prove proven
    rebuild rebuilt
    repay repaid
    rewrite rewrote rewritten
    ride rode ridden
    run ran
    say said
    see saw seen
    seek sought
    sell sold
    send sent
    shake shook shaken
    show shown
    shrink shrank shrunk
    sleep slept
    speak spoke spoken
    spend spent
    stand stood
    steal stole stolen
    stick stuck
    swear swore sworn
    sweep swept
    take took taken
    teach taught
    tear tore torn
    tell told
    think thought
    throw threw thrown
    undergo underwent undergone
    understand understood
    undertake undertook undertaken
    wake woke woken
    wear wore worn
    win won
    withdraw withdrew withdrawn
    withhold withheld
    write wrote written
    analysis analyses
    appendix appendices
    child children
    crisis crises
    criterion criteria
    curriculum curricula
    diagnosis diagnoses
    foot feet
    half halves
    hypothesis hypotheses
    index indices
    man men
    matrix matrices
    mouse mice
    person people
    phenomenon phenomena
    shelf shelves
    tooth teeth
    woman women
"""
BASES = {form: base for base, *forms in map(str.split, _TABLE.strip().splitlines()) for form in forms}
