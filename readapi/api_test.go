package readapi_test

import "testing"

// TestAPI runs the rules against one stack: organisations keep them apart, as
// they keep customers apart.
func TestAPI(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	for rule, test := range map[string]func(*testing.T, *stack){
		"ABulkCommandDoesEachRowByItselfAndTellsNothingOfForeignOnes":   testABulkCommandDoesEachRowByItselfAndTellsNothingOfForeignOnes,
		"AKeyForSomeGroupsSeesNothingForBeingItsUser":                   testAKeyForSomeGroupsSeesNothingForBeingItsUser,
		"ALongTimelineComesInPieces":                                    testALongTimelineComesInPieces,
		"ListsWithinAnswersAreBoundedAndWholeElsewhere":                 testListsWithinAnswersAreBoundedAndWholeElsewhere,
		"AnExportHoldsWhatTheListShowsToItsCaller":                      testAnExportHoldsWhatTheListShowsToItsCaller,
		"VehiclesAreInExportsOnlyForThoseWhoSeeThem":                    testVehiclesAreInExportsOnlyForThoseWhoSeeThem,
		"ImportingAnExportCreatesNothing":                               testImportingAnExportCreatesNothing,
		"ALongExportIsOfOneMomentAndEndsWithTheAccessOfItsCaller":       testALongExportIsOfOneMomentAndEndsWithTheAccessOfItsCaller,
		"AWorkbookThatCannotHoldItIsRefusedBeforeItsFirstByte":          testAWorkbookThatCannotHoldItIsRefusedBeforeItsFirstByte,
		"ASearchFindsTheSameWhicheverWayItGoes":                         testASearchFindsTheSameWhicheverWayItGoes,
		"SearchFindsWordsWithinOnesScopeOnly":                           testSearchFindsWordsWithinOnesScopeOnly,
		"ADeliveryGoesThroughItsWholeLife":                              testADeliveryGoesThroughItsWholeLife,
		"AChangeGoesByTheETagAndCountsAndFindsAnew":                     testAChangeGoesByTheETagAndCountsAndFindsAnew,
		"ADeletedDeliveryIsNowhereForAnybody":                           testADeletedDeliveryIsNowhereForAnybody,
		"TheVerbsOfADeliveryAreForThoseWhoMayAndSee":                    testTheVerbsOfADeliveryAreForThoseWhoMayAndSee,
		"AMergedGroupsDeliveriesFollowItAndItsMembersDoNot":             testAMergedGroupsDeliveriesFollowItAndItsMembersDoNot,
		"ADryRunTellsWhoWouldSeeWhatAndChangesNothing":                  testADryRunTellsWhoWouldSeeWhatAndChangesNothing,
		"AGroupIsRenamedAndItsOldNameIsFree":                            testAGroupIsRenamedAndItsOldNameIsFree,
		"AVehicleIsSeenThroughItsGroupsUntilItLeavesTheRegister":        testAVehicleIsSeenThroughItsGroupsUntilItLeavesTheRegister,
		"WhereAVehicleIsShowsToWhoSeesItAndOnlyTheLatestCounts":         testWhereAVehicleIsShowsToWhoSeesItAndOnlyTheLatestCounts,
		"AFileIsReadAsTheTemplateSays":                                  testAFileIsReadAsTheTemplateSays,
		"ChangesOfGroupsAreForThoseWhoMayAndSee":                        testChangesOfGroupsAreForThoseWhoMayAndSee,
		"AFileIsImportedOverHTTPAndTwiceIsOnce":                         testAFileIsImportedOverHTTPAndTwiceIsOnce,
		"WhoSendsAFileSlowlyHoldsUpNobodyElse":                          testWhoSendsAFileSlowlyHoldsUpNobodyElse,
		"AnOrganisationImportsOneFileAtATime":                           testAnOrganisationImportsOneFileAtATime,
		"ABlockEndsAnImportThatIsRunning":                               testABlockEndsAnImportThatIsRunning,
		"ADryRunOfAnImportAnswersAsTheImport":                           testADryRunOfAnImportAnswersAsTheImport,
		"AFileIsReadInTheEncodingThatItHasOrIsSaidToHave":               testAFileIsReadInTheEncodingThatItHasOrIsSaidToHave,
		"PositionsAreBoundedHoweverTheyCome":                            testPositionsAreBoundedHoweverTheyCome,
		"ATimelineTellsNothingOfGroupsAndPeopleThatTheCallerDoesNotSee": testATimelineTellsNothingOfGroupsAndPeopleThatTheCallerDoesNotSee,
		"AnswersAreWhatTheyAreDescribedAs":                              testAnswersAreWhatTheyAreDescribedAs,
		"TrackingStatusGoesByTheOrganisationsDay":                       testTrackingStatusGoesByTheOrganisationsDay,
		"AfterAnySequenceOfChangesEverybodySeesWhatTheRulesSay":         testAfterAnySequenceOfChangesEverybodySeesWhatTheRulesSay,
		"NobodyGivesGroupsToOneself":                                    testNobodyGivesGroupsToOneself,
		"ReasonsAreBounded":                                             testReasonsAreBounded,
		"WhoApprovedIsNotForTheCallerToSay":                             testWhoApprovedIsNotForTheCallerToSay,
		"ABlockEndsAPIKeys":                                             testABlockEndsAPIKeys,
		"ABlockedUserIsNobodyAtOnceAndItsSessionsDoNotComeBack":         testABlockedUserIsNobodyAtOnceAndItsSessionsDoNotComeBack,
		"ACommandThatWidensSightSaysWhetherItCanBeSeenYet":              testACommandThatWidensSightSaysWhetherItCanBeSeenYet,
		"ACursorIsGoodForItsCallerAndItsFiltersOnly":                    testACursorIsGoodForItsCallerAndItsFiltersOnly,
		"AForbiddenVerbOnAVisibleThingIsDenied":                         testAForbiddenVerbOnAVisibleThingIsDenied,
		"AGrantEndsWhenItsTimeIsOver":                                   testAGrantEndsWhenItsTimeIsOver,
		"AOneTimeLinkWorksOnceAndOnlyForItsEmail":                       testAOneTimeLinkWorksOnceAndOnlyForItsEmail,
		"AQueryWithAPositionSeesWhatWasWritten":                         testAQueryWithAPositionSeesWhatWasWritten,
		"ARepetitionWithTheSameKeyIsTheSameCommand":                     testARepetitionWithTheSameKeyIsTheSameCommand,
		"AnIdentityOfSeveralOrganisationsSaysWhichAndNeedsNoSecondLink": testAnIdentityOfSeveralOrganisationsSaysWhichAndNeedsNoSecondLink,
		"BodiesAreReadStrictlyAndErrorsNameTheMember":                   testBodiesAreReadStrictlyAndErrorsNameTheMember,
		"EachPortalIsForItsOwnPeople":                                   testEachPortalIsForItsOwnPeople,
		"EveryRouteButThePublicOnesNeedsASession":                       testEveryRouteButThePublicOnesNeedsASession,
		"FailedSignInsAreUniformOverHTTP":                               testFailedSignInsAreUniformOverHTTP,
		"ListsByNameAreCompleteAlsoWithErasedNames":                     testListsByNameAreCompleteAlsoWithErasedNames,
		"ListsShowOnlyOnesOwn":                                          testListsShowOnlyOnesOwn,
		"PagesAreCompleteAndWithoutDuplicatesWhileRowsAreAdded":         testPagesAreCompleteAndWithoutDuplicatesWhileRowsAreAdded,
		"ParametersAreTakenStrictly":                                    testParametersAreTakenStrictly,
		"TheOpenAPIDocumentAndTheRouterKnowTheSameRoutes":               testTheOpenAPIDocumentAndTheRouterKnowTheSameRoutes,
		"ThePublishedTruthTableHoldsInListsByIDInCountsAndInSearch":     testThePublishedTruthTableHoldsInListsByIDInCountsAndInSearch,
		"TheRouterAnswersWithProblemsToo":                               testTheRouterAnswersWithProblemsToo,
		"WhatIsForeignLooksExactlyAsIfItDidNotExist":                    testWhatIsForeignLooksExactlyAsIfItDidNotExist,
		"WhatWasTakenAwayIsGoneOnTheVeryNextRequest":                    testWhatWasTakenAwayIsGoneOnTheVeryNextRequest,
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			test(t, s)
		})
	}
}
