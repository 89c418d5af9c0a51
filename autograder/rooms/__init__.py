"""The three rooms in which a submission is examined, and `control.examine`, which opens and closes them.

answer       runs the student's cells; sees no test
examination  runs our tests; runs nothing of the student's
reading      builds and reads what came from the student, with our code; knows no test
"""
