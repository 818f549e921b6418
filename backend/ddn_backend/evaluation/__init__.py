"""How right the analysis is: labelled failures in, figures with their intervals out.

    labelled   a JSONL file -> records, and what could not be used, in words
    replay     a record -> the report that a listener would have sent: by the product's own capture where there is an output.xml
    answers    reports -> what was shown, with its seconds
    measures   answers -> accuracy, wrong answers shown, evidence, confidence, per error type; every share with its interval
    tables     measures -> lines for people, plain JSON types for machines
    fit        passages with labels -> the grades from which a passage counts; confidences -> what they were worth

Nothing here knows adapters: what answers a report is handed in as a function.
"""
